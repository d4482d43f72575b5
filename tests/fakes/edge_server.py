"""The REST API, `/livez`, `/readyz` and a websocket that echoes, behind the checks of the edge, for a real server."""

from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.edge.hosts import AllowedHosts
from orchestrator.edge.probes import Probes
from orchestrator.edge.proxies import TrustedProxies
from orchestrator.edge.socket_limits import SocketLimits
from orchestrator.services import db
from orchestrator.services.engine_purpose import Purpose
from tests.fakes.quick_hashes import create_api


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Says from where the websocket came, by which scheme."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": f"{scope['scheme']} {scope['client'][0]}"})
    await receive()


def create() -> ASGIApp:
    db.set_purpose(Purpose.WEB)
    api, sockets = create_api(), TrustedProxies(AllowedHosts(SocketLimits(echo)))

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await (sockets if scope["type"] == "websocket" else api)(scope, receive, send)

    return Probes(dispatch)
