"""What becomes of approved price changes when everything around them fails at once.

    python bench/chaos.py [--quick] [--commands 150] [--seed 1]

Four real workers carry the commands out over a real PostgreSQL and Redis, against the stand-in of the marketplace. Of
its answers to sends 55 % are faulty (see `SENDS`), of those to reads 20 %. Meanwhile workers are killed with SIGKILL
(every second time only the process that works, every second time its whole group) and PostgreSQL drops connections in
the middle of whatever they do; the minute's sweeps come every three seconds, as all waits are scaled.

At the end three ledgers are compared: our commands, the marketplace's log of writes, and its prices.

    lost         neither verified nor in a person's hands when the time is up
    twice        prices that were written more than once for one command, or changes with more or less than one
                 experiment
    wrong        called verified although the marketplace shows another price, or a price that nobody asked for
    needs_human  given to a person, with the reason

The draws depend on the seed alone; what a kill meets depends on the machine.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import print_result, print_table
from bench.database import empty_database

if TYPE_CHECKING:
    from apps.decisions.models import Command
    from tests.faults.harness import Fleet, Process
    from tests.faults.trade import Trade

EXECUTORS = 4
COMMANDS, KILLS, DROPS = 150, 60, 25
QUICK = 5
"""`--quick` divides all three by this."""
PATIENCE_SECONDS = 600
TICK_SECONDS = 3
TROUBLE_SECONDS = 0.5
CALLS_SCRIPTED = 40
"""for each command: far more than it may make"""

# Shares of the calls that go wrong, and how. The rest is answered as it should be.
SENDS: dict[str, tuple[float, dict[str, float]]] = {
    "429": (0.13, {"retry_after": 1}),
    "500": (0.10, {}),
    "502_after_apply": (0.10, {}),
    "hang_after_apply": (0.08, {"delay": 10}),
    "truncated_json": (0.08, {}),
    "no_effect": (0.06, {}),
}
READS: dict[str, tuple[float, dict[str, float]]] = {"500": (0.10, {}), "429": (0.10, {"retry_after": 1})}

ENVIRONMENT = {"HTTP_DEADLINE_SECONDS": "2", "SETTLE_SECONDS": "0.3", "LOG_LEVEL": "WARNING"}


def script(draw: random.Random, shares: dict[str, tuple[float, dict[str, float]]], calls: int) -> Iterator[Any]:
    """Faults for so many calls, in their order; calls that go well are those that a fault lets pass first."""
    kinds = [*shares, ""]
    weights = [share for share, _ in shares.values()]
    weights.append(1 - sum(weights))
    healthy = 0
    for kind in draw.choices(kinds, weights, k=calls):
        if kind:
            yield kind, {"after_calls": healthy, **shares[kind][1]}
            healthy = 0
        else:
            healthy += 1


def spoil(trade: "Trade", draw: random.Random, commands: int) -> None:
    from tests.faults.trade import READ, SEND

    for route, shares in ((SEND, SENDS), (READ, READS)):
        for kind, options in script(draw, shares, commands * CALLS_SCRIPTED):
            trade.spoil(route, kind, **options)


class Trouble:
    """Kills and drops, one after the other, until none is left or nothing is left to disturb."""

    def __init__(self, fleet: "Fleet", draw: random.Random, *, kills: int, drops: int) -> None:
        self.fleet, self.draw = fleet, draw
        self.to_come = ["kill"] * kills + ["drop"] * drops
        draw.shuffle(self.to_come)
        self.done: Counter[str] = Counter()
        self.executors = [self.start() for _ in range(EXECUTORS)]

    def start(self) -> "Process":
        return self.fleet.launch_worker("money,fast")

    def next(self) -> None:
        if not self.to_come:
            return
        what = self.to_come.pop()
        if self.kill() if what == "kill" else self.drop():
            self.done[what] += 1
        else:
            self.to_come.insert(0, what)

    def kill(self) -> bool:
        number = self.draw.randrange(EXECUTORS)
        executor = self.executors[number]
        if not executor.children():
            return False  # it is still starting
        if self.done["kill"] % 2:
            os.kill(executor.children()[0], SIGKILL)
        else:
            executor.kill()
            self.executors[number] = self.start()
        return True

    def drop(self) -> bool:
        """One connection to our database, and with it whatever transaction it is in."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
                " and backend_type = 'client backend' order by pid"
            )
            pids = [pid for (pid,) in cursor.fetchall()]
            if not pids:
                return False
            cursor.execute("select pg_terminate_backend(%s)", [self.draw.choice(pids)])
        return True


@contextmanager
def shop(commands: int) -> Iterator["Trade"]:
    from config.servers import Redis
    from tests.faults.harness import Fleet, server_of_its_own
    from tests.faults.trade import trade_of

    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        redis = stack.enter_context(server_of_its_own(Redis, scratch=False))
        fleet = Fleet(Path(folder), redis)
        trade = stack.enter_context(trade_of(fleet, skus=commands * 3))
        try:
            yield trade
        finally:
            for process in fleet.processes:
                process.kill()


def carry_out(trade: "Trade", commands: list["Command"], trouble: Trouble) -> float:
    """Until every command is over and every verified one is measured. Returns the seconds it took."""
    from apps.decisions.models import Command
    from apps.experiments.models import Experiment

    trade.run(*commands)
    start, told, ticked = time.monotonic(), 0.0, 0.0
    while (passed := time.monotonic() - start) < PATIENCE_SECONDS:
        trouble.next()
        if passed - ticked >= TICK_SECONDS:
            ticked = passed
            trade.tick()
        states = Counter(Command.objects.values_list("state", flat=True))
        live = sum(states[state] for state in Command.LIVE)
        if not live and not trouble.to_come and Experiment.objects.count() >= states["verified"]:
            break
        if passed - told >= 10:
            told = passed
            print(f"{passed:4.0f} s  {dict(states)}  {dict(trouble.done)}", flush=True)
        time.sleep(TROUBLE_SECONDS)
    return time.monotonic() - start


def judge(trade: "Trade", commands: list["Command"]) -> dict[str, int]:
    from apps.decisions.kinds import payload_of
    from apps.decisions.models import Command
    from apps.experiments.models import Experiment

    written = trade.changes()
    found: Counter[str] = Counter()
    for command in Command.objects.filter(pk__in=[one.pk for one in commands]):
        payload = payload_of(command)
        changes = written.get(int(payload.external_id), [])
        is_verified = command.state == "verified"
        shown = trade.live.world.price_of(payload.external_id)
        measured = Experiment.objects.filter(command=command).count()
        found["verified"] += is_verified
        found["needs_human"] += command.state == "needs_human"
        found["lost"] += command.state not in ("verified", "needs_human")
        found["twice"] += len(changes) > 1 or measured != int(is_verified)
        found["wrong"] += shown not in ((payload.price,) if is_verified else (payload.price, payload.expected_price))
    return dict(found)


def measure(commands: int, kills: int, drops: int, seed: int) -> None:
    from apps.decisions.models import Attempt, Command

    draw = random.Random(seed)
    with shop(commands) as trade:
        trade.fleet.env |= ENVIRONMENT
        approved = [trade.approve(card) for card in trade.cards(most=commands)]
        spoil(trade, draw, commands)
        trouble = Trouble(trade.fleet, draw, kills=kills, drops=drops)
        seconds = carry_out(trade, approved, trouble)
        found = judge(trade, approved)
        calls = trade.calls()
        faulty = sum(1 for call in calls if call["fault"])
        print_table(
            f"{len(approved)} commands, {EXECUTORS} executors, seed {seed}",
            ["", ""],
            [
                ["seconds", f"{seconds:.0f}"],
                ["executors killed", trouble.done["kill"]],
                ["connections dropped", trouble.done["drop"]],
                ["sends", len(calls)],
                ["of these answered wrongly", f"{faulty / max(len(calls), 1):.0%}"],
                ["most sends of one command", max(Command.objects.values_list("writes", flat=True))],
                ["sends that our side never saw the end of", Attempt.objects.filter(outcome="unknown").count()],
                *([name, found.get(name, 0)] for name in ("verified", "needs_human", "lost", "twice", "wrong")),
            ],
        )
        problems = Command.objects.exclude(state="verified").values_list("problem__code", flat=True)
        print("\nGiven to a person:", dict(Counter(problems)))
    print_result({name: found.get(name, 0) for name in ("lost", "twice", "wrong", "needs_human")})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of everything, under a minute")
    parser.add_argument("--commands", type=int, default=COMMANDS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    share = QUICK if options.quick else 1
    if options.commands < share:
        parser.error(f"--commands must be at least {share}")
    with empty_database("vitrina_bench_chaos"):
        measure(options.commands // share, KILLS // share, DROPS // share, options.seed)


if __name__ == "__main__":
    main()
