"""Times to delivery in buckets that can be added up, and quantiles of the sums.

Each bucket's upper bound is a tenth above the one before, as in DDSketch (VLDB 2019): a quantile
that is read from it is within 5 % of the true one, whatever was merged. PostgreSQL sorts into the
same buckets: see the first migration.
"""

import math
from collections.abc import Mapping

GROWTH = 1.1
# Seconds: the upper bound of bucket 1.
LEAST = 0.001
# Of 2.2 billion seconds.
BUCKETS = 299
# How far a quantile may be from the true one, as a share of it; the least bucket by a millisecond.
RELATIVE_ERROR = math.sqrt(GROWTH) - 1


def bucket_of(seconds: float) -> int:
    """1 to BUCKETS; 0 is for what was not delivered."""
    steps = math.ceil(math.log(max(seconds, LEAST) / LEAST) / math.log(GROWTH))
    return max(1, min(BUCKETS, 1 + steps))


def seconds_of(bucket: int) -> float:
    """What stands for all times in a bucket: the geometric mean of its bounds."""
    if bucket == 1:
        return LEAST
    return LEAST * math.pow(GROWTH, bucket - 1.5)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The time, in seconds, that `share` of the deliveries took at most; None without any."""
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = max(1, math.ceil(share * total))
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return seconds_of(bucket)
    return None
