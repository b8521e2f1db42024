/* json_scan.h - is this text JSON as we accept it? The first half of json_parse. */
#ifndef COMMON_JSON_JSON_SCAN_H
#define COMMON_JSON_JSON_SCAN_H

#include <stddef.h>

struct err;

/* 0 when the text is one value and nothing is wrong with it (json.h says what may be). Else -1 with
 * "line:column: what": ERR_MALFORMED, ERR_TOO_BIG for length and depth, or ERR_NOMEM. */
int json_scan(const char *text, size_t len, struct err *err);

#endif
