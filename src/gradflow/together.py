"""Runs that are trained together: each an ordinary run in a thread of its own, their updates made as one stack.

Everything that a run does besides updating weights (its folder, curves, validation, monitors, checkpoints, early stop)
is done by the run itself, one thread at a time. Only where a training step wants its updates do the threads meet: once
all that are still training wait there, this thread makes the updates of all of them and lets them go on.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from gradflow.data.loader import Chunk
from gradflow.module import ActivationModule
from gradflow.stack import Stack

log = logging.getLogger(__name__)


class Stopped(BaseException):
    """The process is to end: raised in every run that waits, which marks it as interrupted."""


@dataclass
class _Request:
    """What a waiting run wants, and what came of it."""

    module: ActivationModule
    chunk: Chunk
    answer: bool | BaseException | None = None  # True: done; False: do it alone


class Together:
    """The meeting place of the runs of one job."""

    def __init__(self) -> None:
        self.threads = torch.get_num_threads()  # of the updates
        self._changed = threading.Condition()
        self._turn = threading.Lock()  # held by the one run that may do anything
        self._training = 0  # runs that have not ended
        self._waiting: list[_Request] = []
        self._stacks: list[Stack] = []
        self._can_stack = True

    def update_with_each(self, module: ActivationModule, chunk: Chunk) -> bool:
        """Called by a run's thread: whether the updates have been made; if not, the module is to make them alone."""
        request = _Request(module, chunk)
        # Double precision makes float64 the default while it steps, and unlike autocast not for this thread alone.
        default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)
        with self._changed:
            self._waiting.append(request)
            self._changed.notify_all()
            self._turn.release()
            self._changed.wait_for(lambda: request.answer is not None)
        self._turn.acquire()
        torch.set_default_dtype(default)
        if isinstance(request.answer, BaseException):
            raise request.answer
        return bool(request.answer)

    def run(self, runs: Sequence[tuple[str, Callable[[], object]]]) -> list[BaseException | None]:
        """Run all of these to their end, each in a thread with this name; what each raised.

        Raises:
            BaseException: what interrupts this thread (Ctrl-C, a signal), after every run has been stopped.
        """
        raised: list[BaseException | None] = [None] * len(runs)
        threads = [
            threading.Thread(target=self._one, args=(i, work, raised), name=name, daemon=True)
            for i, (name, work) in enumerate(runs)
        ]
        self._training = len(threads)
        for thread in threads:
            thread.start()
        try:
            while self._training:
                with self._changed:
                    self._changed.wait_for(lambda: len(self._waiting) == self._training)
                self._serve()
        except BaseException:
            self._stop()
            raise
        finally:
            for thread in threads:
                thread.join()
        return raised

    def _one(self, i: int, work: Callable[[], object], raised: list[BaseException | None]) -> None:
        self._turn.acquire()
        # A thread that computes in parallel gets worker threads of its own, and with more of them than cores the OpenMP
        # runtime puts all to sleep between operations: a stacked step took 1.6 ms a seed where it takes 1.0 to 1.3.
        torch.set_num_threads(1)
        try:
            work()
        except BaseException as error:
            raised[i] = error
        finally:
            self._turn.release()
            with self._changed:
                self._training -= 1
                self._changed.notify_all()

    def _stop(self) -> None:
        while self._training:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or not self._training)
            self._answer(self._waiting, Stopped())

    def _serve(self) -> None:
        """Make the updates that are waited for: together for the runs that stand at the same step."""
        groups: defaultdict[int, list[_Request]] = defaultdict(list)
        for request in self._waiting:
            groups[request.module.global_step].append(request)
        for requests in groups.values():
            requests.sort(key=lambda request: request.module.seed)
            self._answer(requests, self._update(requests))

    def _update(self, requests: Sequence[_Request]) -> bool | BaseException:
        modules = tuple(request.module for request in requests)
        stack = next((stack for stack in self._stacks if stack.modules == modules), None)
        if stack is None:
            self._dissolve(modules)
            if len(modules) == 1 or not self._can_stack:
                return False
            stack = Stack(modules)
            self._stacks.append(stack)
        try:
            stack.update_with_each([request.chunk for request in requests])
        except Exception as error:
            if stack.shares_state:
                return error
            log.warning("the seeds are trained one by one, since their stack cannot be: %s", error)
            self._can_stack = False  # nothing has been updated yet
            self._stacks.remove(stack)
            return False
        return True

    def _dissolve(self, modules: Sequence[ActivationModule]) -> None:
        """End the stacks that these modules were in: some of their companions have ended."""
        for stack in [stack for stack in self._stacks if set(stack.modules) & set(modules)]:
            stack.dissolve()
            self._stacks.remove(stack)

    def _answer(self, requests: Sequence[_Request], answer: bool | BaseException) -> None:
        with self._changed:
            for request in list(requests):
                request.answer = answer
                self._waiting.remove(request)
            self._changed.notify_all()
