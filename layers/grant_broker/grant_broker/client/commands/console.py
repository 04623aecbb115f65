"""`grant-broker console`: the broker's pages in a browser."""

import webbrowser
from contextlib import suppress

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.errors import GrantBrokerError
from grant_broker.client.exit_codes import DONE, WRONG_USAGE


@click.command("console", cls=ApiCommand)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Listen on this port; else on a free one."
)
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@click.pass_obj
def command(api: Api, *, port: int, no_browser: bool) -> int:
    """Open the broker's pages in your browser, signed with your own AWS profile.

    They are served on 127.0.0.1 to the one browser that opens the link first, until Ctrl-C. No credentials
    and no grant token reach the browser.
    """
    try:
        from grant_broker.client.console.person import find_person  # noqa: PLC0415 - an extra of its own
        from grant_broker.client.console.serving import ConsoleServer  # noqa: PLC0415
    except ImportError as error:
        words = "what the console needs is not installed. Next: pip install grant-broker[console]"
        raise GrantBrokerError(words) from error
    person = find_person(api.client)
    try:
        server = ConsoleServer(person, port)
    except OSError as error:
        api.say(f"grant-broker: port {port}: {error.strerror}. Next: give another --port, or none")
        return WRONG_USAGE
    with server:
        print(f"{person.arn}\n{server.start_url}\nThe link is good once. Stop with Ctrl-C.", flush=True)
        if not no_browser:
            webbrowser.open(server.start_url)
        # Ctrl-C is how one stops it: nothing was interrupted.
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return DONE
