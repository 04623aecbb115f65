"""The console: pages on 127.0.0.1 over the Python client, for the one who started it.

Server-rendered by Flask: every page is made of fresh, signed calls, and the browser holds nothing but the
cookie of its session. No htmx: the only current package that carries it brings Django along for one file. The
fifty lines of `static/console.js` do what is needed, under a Content-Security-Policy without exceptions.
"""
