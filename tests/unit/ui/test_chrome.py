"""What chats show of a link: a picture of the size that they ask for, a title and a description."""

from PIL import Image

from orchestrator.settings import ROOT
from orchestrator.ui.chrome import SOCIAL_IMAGE, social_tags


def test_the_social_picture_has_its_size_and_stays_small() -> None:
    path = ROOT / "assets" / SOCIAL_IMAGE.lstrip("/")
    with Image.open(path) as picture:
        assert picture.size == (1200, 630)
    assert path.stat().st_size < 300_000


def test_a_page_names_itself() -> None:
    tags = {tag.get("property") or tag["name"]: tag["content"] for tag in social_tags("Log in - Loreel", "Fine-tune.")}
    assert (tags["og:title"], tags["og:description"]) == ("Log in - Loreel", "Fine-tune.")
