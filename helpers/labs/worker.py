"""The thread of a lab that trains: it works while the kernel stays free for cells, and ends when its lab closes."""

import contextvars
import threading
from collections.abc import Callable


class Worker:
    """A thread that is woken by orders, and by itself for as long as its work goes on.

    work(orders) is called in the thread with what was ordered since the last call, in that order. It returns after how
    many seconds it wants to be called again though nothing is ordered, or None to rest until something is. Whatever it
    raises is its own to handle. name: the thread's.
    """

    def __init__(self, work: Callable[[list], float | None], name: str):
        self._work, self._wake, self._closed = work, threading.Condition(), False
        self._orders: list = []
        self._given = self._done = 0
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def order(self, order: object = None) -> None:
        """Leave an order, and wake the thread."""
        with self._wake:
            # Jupyter takes a lab's next event to the thread that its last message came from; in the event's own context
            # that is not the main thread, where the event would wait for a running cell.
            self._context = contextvars.copy_context()
            self._orders.append(order)
            self._given += 1
            self._wake.notify_all()

    @property
    def wanted(self) -> bool:
        """Whether the work in progress should come to its end: orders wait, or the lab was closed."""
        return bool(self._orders) or self._closed

    def settle(self, timeout: float = 60) -> None:
        """Wait until all orders are carried out. Raises TimeoutError after timeout seconds, RuntimeError if closed."""
        with self._wake:
            given = self._given
            if not self._wake.wait_for(lambda: self._done >= given or self._closed, timeout):
                raise TimeoutError(f"{self._thread.name!r} still has work to do after {timeout} s")
            if self._done < given:
                raise RuntimeError(f"{self._thread.name!r} was closed")

    def close(self) -> None:
        """Have the thread end once the work in progress returns; what is still ordered is left undone."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def join(self, timeout: float = 60) -> None:
        """Wait for the thread's end, after close. Raises TimeoutError after timeout seconds."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError(f"{self._thread.name!r} still runs after {timeout} s")

    def _loop(self):
        again = None
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self.wanted, again)
                if self._closed:
                    return
                orders, self._orders, context = self._orders, [], self._context
            again = context.run(self._work, orders)
            with self._wake:
                self._done += len(orders)
                self._wake.notify_all()
