"""What the floors above `numbers` add to the demo's story; they register it in `AppConfig.ready()`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from portal.models import User

type Act = Callable[[datetime], None]
type Tell = Callable[[Mapping[str, User]], Iterable[tuple[float, Act]]]

_stories: list[Tell] = []


def register(tell: Tell) -> None:
    """Add a story of Acme's; called once for each when the apps are ready."""
    if tell not in _stories:
        _stories.append(tell)


def acts(people: Mapping[str, User]) -> list[tuple[float, Act]]:
    """Return what is done how many hours ago, by people given by their address."""
    return [act for tell in _stories for act in tell(people)]
