"""What the API answers, as types: views return them, clients read them, the OpenAPI document is made of them.

Every field is always there unless it is NotRequired, and no other is. They import nothing but the standard
library and words of the domain, so that a client pays nothing for them.
"""
