import time
import pytest
from tests.flows.shop import live_shop
from apps.catalog.models import Product
from apps.pricing.kinds import SetPrice, draft_of
from apps.decisions.kinds import Draft
from apps.decisions.approval import propose, Objected, approve
from apps.pricing.grid import grid_of
from decimal import Decimal
from datetime import timedelta
from collections import Counter


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("skus,days", [(40, 3), (60, 20), (120, 3), (300, 3)])
def test_m(settings, skus, days):
    t = time.time()
    with live_shop(settings, skus=skus, history_days=days) as live:
        print("start", time.time() - t)
        t = time.time()
        live.sync()
        print("sync", time.time() - t)
        t = time.time()
        live.enter_costs()
        print("costs", time.time() - t)
        t = time.time()
        c = Counter()
        ps = []
        for product in Product.objects.all():
            price = grid_of("RUB").nearest(product.price * Decimal("1.04"))
            try:
                ps.append(
                    propose(
                        shop=live.shop,
                        kind=SetPrice(),
                        draft=Draft(payload=draft_of(product, price), currency="RUB"),
                        now=live.now,
                        expires_at=live.now + timedelta(days=1),
                    )
                )
                c["ok"] += 1
            except Objected as e:
                c[e.objection.code] += 1
        print(c, "propose", (time.time() - t) / skus, "each")
        t = time.time()
        n = 0
        for p in ps[: skus // 3]:
            approve(proposal_id=p.pk, payload_hash=p.payload_hash, by=live.owner, now=live.now)
            n += 1
        print("approve", (time.time() - t) / n, "each")
