"""The template, made into a running stack on 127.0.0.1."""
