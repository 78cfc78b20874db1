// SPDX-License-Identifier: BSD-2-Clause
// Marks: places in the code between which the platform model counts guest instructions. A mark is
// a record in a section of the ELF file that nobody loads; in the code itself there is nothing.
#pragma once

// Record of 32 bytes: address (8), kind (4: 1 begin, 2 end, 3 end behind the instruction there), name
// (up to 19 characters and zeros).
#ifdef ONEBELL_HOST
#define MARK_RECORD(kind, name)
#else
#define MARK_RECORD(kind, name)                                                                    \
    __asm__ volatile("0:\n\t.pushsection .marks,\"\",@progbits\n\t.quad 0b\n\t.long " #kind        \
                     "\n\t.asciz \"" name "\"\n\t.balign 32\n\t.popsection")
#endif

// From here to the region's end, instructions count for the region `name`; regions nest, and the
// innermost one counts.
#define MARK_BEGIN(name) MARK_RECORD(1, name)
#define MARK_END(name) MARK_RECORD(2, name)
