"""A websocket that is pinged at once, behind the limits of sockets, for a real server."""

from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.edge import socket_limits


async def _ping(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "2"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def create() -> ASGIApp:
    socket_limits.PONG_S = 3.0
    return socket_limits.SocketLimits(_ping)
