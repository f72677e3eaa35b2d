"""Commands on the connection to Sentry: connect by OAuth, show how it is connected, let it go."""

from typing import TYPE_CHECKING, Final, cast

import click

from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import json_option, print_json
from stanch.surfaces.cli.telling import hint, is_tty

if TYPE_CHECKING:
    # Help must not wait for the port's records.
    from stanch.ports.tracker import Connection


@click.group("sentry")
def sentry() -> None:
    """Connect the Sentry of stanch.toml by OAuth, and see what the connection may.

    With the token of an internal integration in `secret_env` there is nothing to connect.

    \b
    stanch sentry connect --client-id ID --device
    stanch sentry status
    stanch sentry disconnect
    """


@sentry.command("connect")
@click.argument("name", default="")
@click.option("--client-id", envvar="SENTRY_CLIENT_ID", required=True, help="The client id of your OAuth application.")
@click.option(
    "--client-secret-env", "secret_env", default="", help="The variable with its client secret, if it has one."
)
@click.option("--device", is_flag=True, help="Log in on another machine, by a code.")
@click.option("--port", default=0, help="Where the browser comes back to on this machine; by default any that is free.")
@json_option
@click.pass_context
def connect(
    ctx: click.Context, name: str, client_id: str, secret_env: str, device: bool, port: int, as_json: bool
) -> None:
    """Grant Stanch access to an organization, and check what it may.

    \b
    stanch sentry connect --client-id ID
    stanch sentry connect --client-id ID --device
    """
    session: Session = ctx.obj

    def show(text: str) -> None:
        hint(text)
        found = text.rpartition(" ")[2]
        if not device and is_tty() and found.startswith("http"):
            click.launch(found)

    connected = session.doors.open("connect_sentry")(
        name,
        folder=session.folder,
        client_id=client_id,
        secret_env=secret_env,
        show=show,
        device=device,
        port=port,
    )
    _print(ctx, cast("Connection", connected), as_json=as_json)


@sentry.command("status")
@click.argument("name", default="")
@json_option
@click.pass_context
def status(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show how Sentry is connected, until when, and which rights are missing; exit code 4 when one is."""
    session: Session = ctx.obj
    found = session.doors.open("sentry_connection")(name, folder=session.folder)
    _print(ctx, cast("Connection", found), as_json=as_json)


@sentry.command("disconnect")
@click.argument("name", default="")
@click.pass_context
def disconnect(ctx: click.Context, name: str) -> None:
    """Forget what was granted. To revoke it as well, remove the application in Sentry's settings."""
    session: Session = ctx.obj
    there = session.doors.open("forget_sentry")(name, folder=session.folder)
    click.echo("forgotten" if there else "nothing was granted")


def _print(ctx: click.Context, found: "Connection", *, as_json: bool) -> None:
    until = f"{found.expires_at:%Y-%m-%d %H:%M} UTC" if found.expires_at else ""
    if as_json:
        print_json(
            {
                "where": found.where,
                "how": found.how,
                "user": found.user,
                "scopes": list(found.scopes),
                "missing": list(found.missing),
                "expires_at": found.expires_at.isoformat() if found.expires_at else None,
                "region": found.region,
            }
        )
    else:
        click.echo(f"{found.where}: {found.how}" + (f", granted by {found.user}" if found.user else ""))
        if found.region:
            click.echo(f"  Region   {found.region}")
        click.echo(f"  Rights   {', '.join(found.scopes) or 'not said; each was tried'}")
        if until:
            click.echo(f"  Renewed  by itself, before {until}")
        if found.missing:
            click.echo(f"  Missing  {', '.join(found.missing)}")
    if found.missing:
        hint("give the integration these rights in Sentry's settings, or connect again with them")
        ctx.exit(4)


COMMANDS: Final[dict[str, click.Command]] = {"sentry": sentry}
