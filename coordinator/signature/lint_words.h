/* lint_words.h - what lint looks for in names and descriptions, without regard to case. */
#ifndef COORDINATOR_SIGNATURE_LINT_WORDS_H
#define COORDINATOR_SIGNATURE_LINT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether one of the words (the list ends with NULL) is anywhere in the name. */
bool lint_words_part(const char *name, const char *const *words);

/* Whether one of the words stands in the text as a word. NULL text has none. */
bool lint_words_any(const char *text, const char *const *words);

/* Whether the text names a chip: M1, M2_Max, A17. */
bool lint_words_chip(const char *text);

size_t lint_words_count(const char *text);

/* The same letters and digits, whatever the case and the separators. */
bool lint_words_alike(const char *a, const char *b);

#endif
