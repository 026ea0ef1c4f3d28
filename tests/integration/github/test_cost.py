"""What collecting costs: requests, points by GitHub's formula, and the promise for 61,271 issues."""

from pathlib import Path

from tests.integration.github.workshop import NAME, standard_world, workshop

PROMISED_ISSUES, PROMISED_REQUESTS, PROMISED_POINTS = 61_271, 640, 1_900


def test_a_backfill_costs_one_request_and_three_points_per_hundred_issues(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        # The repository itself, and three pages.
        assert len(outcome.requests) == 4
        assert shop.fake.points == 9
        pages = -(-PROMISED_ISSUES // 100)
        assert pages + 1 <= PROMISED_REQUESTS
        assert pages * 3 < PROMISED_POINTS
        # What the source tells of its cost is what the server counted.
        (report,) = outcome.source.reports
        assert (report.requests, report.points) == (4, 9)


def test_an_increment_costs_what_changed(tmp_path: Path) -> None:
    world = standard_world()
    with workshop(tmp_path, world) as shop:
        shop.run()
        shop.clock.advance(86_400)
        for number in range(1, 101):
            world.comment(NAME, number, "me too")
        before = shop.fake.points
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert len(outcome.requests) <= 3
        assert shop.fake.points - before == 3


def test_a_sweep_costs_a_point_per_hundred_issues(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.run()
        before, requests = shop.fake.points, len(shop.fake.requests)
        outcome = shop.run(is_sweep=True)
        assert outcome.error is None, outcome.error
        # An increment (3 points), and three pages of numbers.
        assert shop.fake.points - before == 6
        assert len(shop.fake.requests) - requests == 5
