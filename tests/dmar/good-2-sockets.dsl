// SPDX-License-Identifier: BSD-2-Clause
// A server of two sockets, which all tables with a mistake start from.
// expect:
#include "server.dsli"
