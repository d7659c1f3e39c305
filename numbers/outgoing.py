"""Letters that a postal service prints and posts, given to it as the outbox gives mails to a server (rule V5).

| from     | verb           | to        |                                                                     |
|----------|----------------|-----------|---------------------------------------------------------------------|
| –        | later          | pending   | the sealed PDF waits                                                |
| pending  | deliver        | accepted  | the service has it, under a reference of its own                    |
| pending  | deliver        | dead      | 24 hours of failures; the operator is shown it                      |
| accepted | note           | posted    | the service posted it                                               |
| posted   | note           | returned  | it came back                                                        |
| pending, accepted, dead | cancel | cancelled | nothing is posted there; the letter waits for printing again         |

A letter is submitted blindly once only. Whenever the outcome of a try is unknown the next one, minutes later, looks the
letter up by its key first: so nobody gets two letters, the second of which would kill the PIN of the first.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q

from numbers import letters, printing
from numbers.letters import LetterRefused
from numbers.models import Address, PinLetter, PostalOrder
from numbers.postal import Fate, Job, PostalError, PostalService
from portal import audit, wake
from portal.models import User

log = structlog.get_logger(__name__)

State = PostalOrder.State
JOB = "deliver_letters"
CLAIM = timedelta(minutes=5)  # longer than a service may take for all it is asked; after a crash the row is tried then
# After the first, second … try; the last for all that follow. Never shorter than what a service may need to accept a
# letter whose answer nobody waited for.
WAIT_MINUTES = (5, 10, 20, 30, 60)
LAST_TRY = 27  # 24 hours of failures
LOOK_AGAIN = timedelta(hours=6)  # at an accepted letter, should no message of the service come
_RANK = {State.PENDING: 0, State.DEAD: 0, State.ACCEPTED: 1, State.POSTED: 2, State.RETURNED: 3, State.CANCELLED: 4}
_STATE = {
    Fate.WAITING: State.ACCEPTED,
    Fate.POSTED: State.POSTED,
    Fate.RETURNED: State.RETURNED,
    Fate.CANCELLED: State.CANCELLED,
}


def later(letter_ids: Iterable[int], *, at: datetime) -> None:
    """Let these letters, whose PDFs are kept sealed, be given to the service."""
    PostalOrder.objects.bulk_create([PostalOrder(letter_id=pk, created_at=at, due_at=at) for pk in letter_ids])


def claim(*, at: datetime) -> PostalOrder | None:
    """Take the letter that has waited longest, moving its next try ahead so that nobody else takes it."""
    with transaction.atomic():
        waiting = PostalOrder.objects.filter(state__in=[State.PENDING, State.ACCEPTED], due_at__lte=at)
        order = waiting.select_for_update(skip_locked=True).order_by("due_at", "id").first()
        if order:
            order.attempts += order.state == State.PENDING
            order.due_at, order.error = at + CLAIM, ""
            order.save(update_fields=["attempts", "due_at", "error"])
    return order


def deliver(order: PostalOrder, pdf: bytes, service: PostalService, *, at: datetime) -> bool:
    """Give one claimed letter to the service, or ask how it stands; return whether that worked.

    Holds no transaction while the service is asked.
    """
    try:
        job = service.status(order.reference) if order.reference else _submitted(order, pdf, service)
    except PostalError as error:
        _failed(order, str(error), at=at)
        return False
    note(order.key, job, at=at)
    return True


def _submitted(order: PostalOrder, pdf: bytes, service: PostalService) -> Job:
    found = service.find(order.key) if order.attempts > 1 else []
    for surplus in found[1:]:
        service.cancel(surplus.reference)
    return found[0] if found else service.submit(pdf, key=order.key)


def note(key: UUID, job: Job, *, at: datetime) -> bool:
    """Note what the service says of a letter; return whether that is news.

    What was said before, or is older than what is known, changes nothing: messages come twice and in any order.
    """
    with transaction.atomic():
        order = PostalOrder.objects.select_for_update().filter(key=key).first()
        if order is None or (order.reference and order.reference != job.reference):
            return False
        state = _STATE[job.fate]
        order.reference = job.reference
        order.due_at, order.error = at + LOOK_AGAIN, ""
        news = _RANK[state] > _RANK[State(order.state)] and order.state != State.CANCELLED
        before = order.state
        if news:
            order.state = state
        order.save(update_fields=["reference", "due_at", "error", "state"])
        if news:
            _trace("letter.delivery", order, before, by=JOB, at=at)
            _tell(order, before, at=at)
    return news


def _tell(order: PostalOrder, before: str, *, at: datetime) -> None:
    """Let the letter itself know what became of it."""
    letter = order.letter
    if order.state == State.CANCELLED:
        printing.back_into_queue(letter)
    elif order.state in (State.POSTED, State.RETURNED) and before != State.POSTED:
        printing.left(letter, by=JOB, at=at)
    if order.state == State.RETURNED:
        Address.objects.locked([letter.address_id])
        (mine,) = PinLetter.objects.locked([letter.pk])
        with suppress(LetterRefused):  # its PIN was entered already, or a newer letter took its place
            letters.came_back(mine, by=JOB, at=at)


def cancel(order: PostalOrder, service: PostalService, *, by: User, at: datetime) -> bool:
    """Call a letter off (the operator's act); return False when it is too late, or a worker has it in hand right now.

    The row stays locked while the service is asked, so that no worker takes it. Raises PostalError.
    """
    with transaction.atomic():
        mine = PostalOrder.objects.select_for_update().get(pk=order.pk)
        if mine.reference:
            cancelled = mine.state == State.ACCEPTED and service.cancel(mine.reference)
        elif mine.attempts and not mine.error:  # in hand; a try that failed says why
            cancelled = False
        else:
            found = service.find(mine.key) if mine.attempts else []
            results = [service.cancel(job.reference) for job in found]  # each of them, whatever the first one says
            cancelled = mine.state in (State.PENDING, State.DEAD) and all(results)
        if cancelled:
            before, mine.state = mine.state, State.CANCELLED
            mine.save(update_fields=["state"])
            _trace("letter.delivery", mine, before, by=by, at=at)
            printing.back_into_queue(mine.letter)
    return cancelled


def retry(orders: Iterable[PostalOrder], *, by: User, at: datetime) -> int:
    """Give letters that were given up a whole new start (the operator's act); return how many. They are looked up."""
    dead = [order for order in orders if order.state == State.DEAD]
    PostalOrder.objects.filter(pk__in=[order.pk for order in dead], state=State.DEAD).update(
        state=State.PENDING, due_at=at, attempts=1
    )
    for order in dead:
        order.state = State.PENDING
        _trace("letter.delivery", order, State.DEAD, by=by, at=at)
    wake.later("numbers.tasks.hand_letters_over")
    return len(dead)


def _failed(order: PostalOrder, reason: str, *, at: datetime) -> None:
    dead = order.state == State.PENDING and order.attempts >= LAST_TRY
    wait = WAIT_MINUTES[min(max(order.attempts, 1), len(WAIT_MINUTES)) - 1]
    log.warning("letter not delivered", order=order.pk, attempt=order.attempts, reason=reason, given_up=dead)
    # Only our own try: whoever took it over after a hanging one, and messages of the service, know better.
    own = PostalOrder.objects.filter(Q(pk=order.pk, attempts=order.attempts, state=order.state))
    own.update(state=State.DEAD if dead else order.state, due_at=at + timedelta(minutes=wait), error=reason[:2000])


def _trace(verb: str, order: PostalOrder, before: str, *, by: User | str, at: datetime) -> None:
    entry = audit.Entry("letter", order.letter_id, str(order.key), {"state": before}, {"state": order.state})
    audit.record(verb, [entry], by=by, at=at)
