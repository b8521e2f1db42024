/* shape.h - the type of a field, in few words.
 *
 * A JSON schema of the federated outputs costs some 3000 tokens in every request; this notation
 * says the same in a sixth of that: {"rank": integer 1 to 1024, "upload_format": "f32" or "f16",
 * ...}. It is made from the rows of the model, as the cast is, so the two cannot disagree. */
#ifndef COORDINATOR_SIGNATURE_SHAPE_H
#define COORDINATOR_SIGNATURE_SHAPE_H

struct buf;
struct field;

void shape_add(struct buf *b, const struct field *row);

/* What a field's type is called where a signature lists its fields: str, int, float, bool, an
 * enum's or record's own name, list[...]. */
void shape_add_name(struct buf *b, const struct field *row); /* NULL row: str */

#endif
