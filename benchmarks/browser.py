"""How the headless browser of the measurements and of the browser tests is started."""

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Without background requests, so that only the studio's own traffic is there."""
