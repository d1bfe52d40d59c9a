#!/usr/bin/env python3
"""Decodes an HdrHistogram log with the PyPI package `hdrhistogram`, an implementation that is not this project's.

usage: check_hlog.py LOG

Prints a line per interval: tag, total count, the values at 50, 90, 99 and 99.9 %, then every counter that is not 0 as
highest-value:count.
"""
import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader


def main():
    reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 2, 1))
    while histogram := reader.get_next_interval_histogram():
        percentiles = [histogram.get_value_at_percentile(p) for p in (50, 90, 99, 99.9)]
        counters = [
            f"{item.value_iterated_to}:{item.count_added_in_this_iter_step}"
            for item in histogram.get_recorded_iterator()
        ]
        print(histogram.get_tag(), histogram.get_total_count(), *percentiles, *counters)


main()
