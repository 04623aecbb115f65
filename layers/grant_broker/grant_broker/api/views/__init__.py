"""Records as the API shows them: every field always there, null where it is not known yet.

They import the shapes for type checking alone: to make those takes a twenty-fifth of a cold start.
"""
