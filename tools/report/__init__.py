# SPDX-License-Identifier: BSD-2-Clause
"""What tools/report, tools/to-fio and tools/predict share: captures, statistics, charts, a page."""
