"""Globex's story: fifteen numbers in Munich, so that there is somebody else's data to be kept apart."""

from collections.abc import Mapping
from datetime import datetime

from numbers.demo import staff
from numbers.demo import story as tell
from numbers.demo.sites import GLOBEX_SITE
from numbers.demo.story import Story
from portal.models import Tenant, User

IN_SERVICE = 10


def story(tenant: Tenant, people: Mapping[str, User], *, now: datetime, months: int) -> Story:
    """Return Globex's story, ready to be told inside its tenant transaction."""
    told = Story(tenant, now=now, months=months)
    carl, olga = people["carl@globex.example"], people["olga@operator.example"]
    staff.employ(told, staff.GLOBEX, domain="globex.example", by=carl)
    e164s = GLOBEX_SITE.e164s()
    told.on(GLOBEX_SITE.month, 9, "10:40", tell.add(tenant, GLOBEX_SITE, by=olga))
    told.on(GLOBEX_SITE.month, 12, "08:20", tell.activate(e164s[:IN_SERVICE], by=carl))
    for position, e164 in enumerate(e164s[:7]):
        address = f"sip:{e164[-3:]}@sip.globex.example"
        told.on(3, 4, f"09:{position:02}", tell.forward(e164, address, by=carl))
    told.on(6, 18, "16:30", tell.schedule(e164s[6], by=carl))
    told.on(9, 7, "10:00", tell.activate([e164s[10]], by=carl))
    told.on(9, 7, "10:05", tell.describe(e164s[10], label="Lager Süd", by=carl))
    told.on(13, 12, "11:55", tell.schedule(e164s[8], by=carl))
    return told
