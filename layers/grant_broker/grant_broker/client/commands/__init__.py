"""The subcommands of `grant-broker`, each a module with `configure(parser)` and `run(options)`."""
