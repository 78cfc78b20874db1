// SPDX-License-Identifier: BSD-2-Clause
// The part of QEMU's plugin interface that counting stands on; the same in versions 4 to 7, but for
// what a translation callback is called with (count.c).
#pragma once

#include "lib/bits.h"

struct qemu_tb;         // struct qemu_plugin_tb
struct qemu_insn;       // struct qemu_plugin_insn
struct qemu_scoreboard; // struct qemu_plugin_scoreboard

// qemu_plugin_u64.
struct qemu_u64 {
    struct qemu_scoreboard *scoreboard;
    size_t offset;
};

enum qemu_cb_flags { QEMU_CB_NO_REGS = 0 };
enum qemu_inline_op { QEMU_INLINE_ADD_U64 = 0 };

// clang-format off
#define QEMU_COUNT_FUNCTIONS(FUNCTION)                                                             \
    FUNCTION(void, qemu_plugin_register_vcpu_tb_trans_cb,                                          \
             (uint64_t id, void (*translate)(void *, void *), void *data))                         \
    FUNCTION(size_t, qemu_plugin_tb_n_insns, (const struct qemu_tb *))                             \
    FUNCTION(struct qemu_insn *, qemu_plugin_tb_get_insn, (const struct qemu_tb *, size_t index))  \
    FUNCTION(uint64_t, qemu_plugin_insn_vaddr, (const struct qemu_insn *))                         \
    FUNCTION(void, qemu_plugin_register_vcpu_insn_exec_cb,                                         \
             (struct qemu_insn *, void (*execute)(unsigned cpu, void *data),                       \
              enum qemu_cb_flags, void *data))                                                     \
    FUNCTION(void, qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu,                            \
             (struct qemu_insn *, enum qemu_inline_op, struct qemu_u64, uint64_t value))           \
    FUNCTION(struct qemu_scoreboard *, qemu_plugin_scoreboard_new, (size_t bytes))                 \
    FUNCTION(void *, qemu_plugin_scoreboard_find, (struct qemu_scoreboard *, unsigned cpu))        \
    FUNCTION(int, qemu_plugin_num_vcpus, (void))
// clang-format on

struct qemu_count_abi {
#define QEMU_POINTER(type, name, parameters) type(*name) parameters;
    QEMU_COUNT_FUNCTIONS(QEMU_POINTER)
#undef QEMU_POINTER
};

extern struct qemu_count_abi qemu_count;

// Finds every function, or refuses.
void qemu_count_abi_init(void);
