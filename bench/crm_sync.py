"""What the sync of a shop in a CRM costs at size: memory, the database's share of the time, and its pace.

    python bench/crm_sync.py [--quick] [--orders 1000000] [--history-days 400]

The stand-in of KeyCRM serves the shop over HTTP from a process of its own, 50 orders a page. Another process carries
out the first sync (all orders), then, a day later, the hourly one and the comparison of the night, which reads the last
thirty days again; it is the one that is measured, as in `bench/sync.py`.

    orders           of the first sync
    peak_mb          the most memory that the syncing process ever held (VmHWM)
    growth_mb        that after the first sync, less that after the first tenth of its orders
    database_share   of the time from the start to the end of the first sync; `hourly_` and `night_` begin those of the
                     other two, which are short: statistics and daily facts weigh more in them
    seconds          the first sync
    orders_per_s     orders stored in a second of it, with their lines, expenses and buyers
    pages_per_s      pages of orders read in a second of it
    progress_steps   how often the figure of its progress was seen to rise

KeyCRM allows 60 calls a minute, which would be most of seven hours for a million orders; here the limit is so high that
nobody waits for a turn. `of our work` is the database's share without the time in which the stand-in works.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import print_result
from bench.database import empty_database
from bench.sync import carry_out, print_stages, print_totals, stand_ins, syncing_process
from bench.sync_process import DATABASE

ORDERS, QUICK_ORDERS = 1_000_000, 5_000
HISTORY_DAYS = 400
NO_LIMIT = "1000000"  # calls a minute


def measure(url: str) -> None:
    from apps.backoffice.demo.world import World
    from apps.marketplaces.keycrm.client import LIMIT
    from apps.marketplaces.standins.registry import CRM_API_KEY
    from apps.sales.models import Order, OrderLine
    from apps.shops.models import Credential, Seller, Shop

    shop = Shop.objects.create(
        seller=Seller.objects.create(name="Bench"),
        kind=Shop.Kind.KEYCRM,
        name="Bench",
        currency="UAH",
        timezone="Europe/Kyiv",
    )
    Credential.objects.create(shop=shop, api=Credential.Api.KEYCRM, secret=CRM_API_KEY)
    with syncing_process() as worker:
        first = carry_out("keycrm_sync", "first sync", worker)
        orders = Order.objects.count()
        print(f"\n{orders:,} orders, {OrderLine.objects.count():,} order lines", flush=True)
        World(url).next_day()
        hourly = carry_out("keycrm_sync", "hourly sync", worker)
        night = carry_out("keycrm_night", "night", worker)
    runs = [first, hourly, night]
    for run in runs:
        print_stages(run)
    print_totals(runs)
    print_result(
        {
            "orders": orders,
            "peak_mb": max(one.peak_mb for one in runs),
            "growth_mb": first.peak_mb - first.seen.tenth_mb["orders"],
            "database_share": first.share(DATABASE),
            "hourly_database_share": hourly.share(DATABASE),
            "night_database_share": night.share(DATABASE),
            "seconds": first.wall,
            "orders_per_s": orders / first.wall,
            "pages_per_s": orders / LIMIT / first.wall,
            "progress_steps": first.seen.steps,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5,000 orders")
    parser.add_argument("--orders", type=int)
    parser.add_argument("--history-days", type=int, default=HISTORY_DAYS)
    options = parser.parse_args()
    orders = options.orders or (QUICK_ORDERS if options.quick else ORDERS)
    if orders < 1 or options.history_days < 1:
        parser.error("--orders and --history-days must be at least 1")
    with stand_ins(skus=3, history_days=30, orders=orders, crm_history_days=options.history_days) as url:
        os.environ |= {"WORLD_URL": url, "KEYCRM_API_URL": f"{url}/keycrm/v1", "KEYCRM_CALLS_A_MINUTE": NO_LIMIT}
        with empty_database("vitrina_bench_crm_sync"):
            measure(url)


if __name__ == "__main__":
    main()
