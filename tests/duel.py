"""Two people, or one impatient one, doing the same at the same moment: two threads, two connections, one barrier."""

import threading

from django.db import connection

WAIT = 60


def fight(rounds):
    """Run each round's two acts at once; return their results, an exception standing for itself."""
    results = [[None, None] for _ in rounds]
    barrier = threading.Barrier(2, timeout=WAIT)

    def side(which):
        try:
            for number, acts in enumerate(rounds):
                barrier.wait()
                try:
                    results[number][which] = acts[which]()
                except Exception as error:  # noqa: BLE001 -- whatever it is, the test looks at it
                    results[number][which] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=side, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
