/* yaml.h - values that every YAML reader takes for what they are.
 *
 * Texts are always in double quotes, with every character escaped that could end them or be taken
 * for something else; numbers that are not whole always have a dot and a signed exponent, without
 * which YAML 1.1 reads 1e-5 as text. */
#ifndef AGENT_APPLY_YAML_H
#define AGENT_APPLY_YAML_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

void yaml_text(struct buf *b, const char *text); /* UTF-8, as records are */
void yaml_f64(struct buf *b, double value);      /* finite */
void yaml_i64(struct buf *b, int64_t value);
void yaml_bool(struct buf *b, bool value);

#endif
