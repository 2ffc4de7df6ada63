"""What a query names, in the forms that rules and dashboards use."""

import pytest

from deploy.promql import named


@pytest.mark.parametrize(
    ("query", "series", "matched", "grouped"),
    [
        ("up == 0", {"up"}, set(), set()),
        ('sum by (job) (up{job!~"a|b"})', {"up"}, {("up", "job")}, {"job"}),
        ("max(sent_total) by (channel, lane)", {"sent_total"}, set(), {"channel", "lane"}),
        (
            "histogram_quantile(0.95, sum by (le) (rate(wait_seconds_bucket[5m])))",
            {"wait_seconds_bucket"},
            set(),
            {"le"},
        ),
        (
            'a:b:rate5m{lane="high", lane!=""} > 14.4 * 0.001 and other_total offset 1h > 1e3',
            {"a:b:rate5m", "other_total"},
            {("a:b:rate5m", "lane")},
            set(),
        ),
        (
            '(sum(rate(x_total{status=~"5..|up{}"}[$__rate_interval])) or vector(0))/sum(y_total)',
            {"x_total", "y_total"},
            {("x_total", "status")},
            set(),
        ),
        ("a / on (queue) group_left (vhost) b", {"a", "b"}, set(), {"queue", "vhost"}),
    ],
)
def test_series_and_labels_are_found_and_words_are_not(
    query: str, series: set[str], matched: set[tuple[str, str]], grouped: set[str]
) -> None:
    found = named(query)
    assert found.series == series
    assert found.matched == matched
    assert found.grouped == grouped
