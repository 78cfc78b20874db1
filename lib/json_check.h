// SPDX-License-Identifier: BSD-2-Clause
// Looks at a JSON object that somebody else has written, without allocation. Pure.
#pragma once

#include "lib/types.h"

// True where the text is one JSON object (RFC 8259) as lib/json.h would begin it, and nothing else: printable
// ASCII, blanks between its parts at most, first its "type", a word of small letters, digits and '_'; and
// none of its own members, nested ones aside, is another "type" or is `key`, in whatever spelling.
// `type` and `type_length` then say which; more members may be put in behind it, at type + type_length + 1.
bool json_check(const char *text, size_t bytes, const char *key, const char **type,
                size_t *type_length);
