// SPDX-License-Identifier: BSD-2-Clause
// attack=ID: a device of the machine reads and writes, by its own requester id, what it was never given.
#pragma once

#include <stdbool.h>
#include <stdio.h>

// Another device that attacks, by its QEMU id, from when the guest has turned remapping on; at most
// ATTACKERS of them.
#define ATTACKERS 4
void attack_add(const char *id);
// attack-writes=off: it only reads, which a guest without a fence survives.
void attack_set_writes(bool on);
// attack-revoked=on: only while it has nothing, after a domain of the guest's had it.
void attack_set_revoked(bool on);

void attack_attach(void); // once the machine is complete

// At exit; nothing without attackers. The JSON is a member of an object, after a comma.
void attack_print_table(void);
void attack_print_json(FILE *out);
