# SPDX-License-Identifier: BSD-2-Clause
"""One run on many machines: what tools/fleet is made of."""
