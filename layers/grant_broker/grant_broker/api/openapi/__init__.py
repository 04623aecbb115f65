"""The OpenAPI document: generated from the models that read bodies and a table of routes.

No function imports this: it is for `openapi.json`, the command line and the tests.
"""
