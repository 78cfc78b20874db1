// SPDX-License-Identifier: BSD-2-Clause
// The platform claims to end DMA: what is made of it is left-dma-claim's affair.
// expect:
#define FLAGS 05
#include "server.dsli"
