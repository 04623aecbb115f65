"""What the exit codes of the commands that call the broker say."""

DONE = 0
OVER = 1
"""What was asked about is over, or denied: nothing was done, and asking again does not help."""
WRONG_USAGE = 2
"""An argument, an option or a file is not what it should be."""
REFUSED = 3
"""The broker, or AWS, refused."""
NO_ANSWER = 4
"""No network, throttled, or not yet: the same command again is safe."""
CHANGES = 5
"""Something is not yet as it is to be."""
INTERRUPTED = 130
"""As a shell says it of whoever was ended by SIGINT."""
CLOSED_PIPE = 141
"""As a shell says it of whoever was ended by SIGPIPE."""

IN_WORDS = """\
\b
Exit codes of the commands that call the broker; others say their own:
  0    done
  1    denied, or over: asking again does not help
  2    wrong usage
  3    refused, for what the message says
  4    no answer, or not yet: the same again is safe
  5    not yet as it is to be (apply)
  130  interrupted
  141  nobody reads the output any more
"""
