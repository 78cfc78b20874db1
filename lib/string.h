// SPDX-License-Identifier: BSD-2-Clause
// The memory and string functions that the compiler and the rest of the tree expect.
#pragma once

#include "lib/types.h"

#ifdef ONEBELL_HOST
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *at, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *s, int c);
void *memchr(const void *at, int value, size_t bytes);
#endif
