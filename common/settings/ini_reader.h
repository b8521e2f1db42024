/* ini_reader.h - inih's ini_parse_stream, for builds that have no inih.
 *
 * Debian's libinih is not to be had everywhere that a Mac's programs are built. The part that
 * settings files use is written here anew, with the same signature and meaning, and passes the same
 * tests. */
#ifndef COMMON_SETTINGS_INI_READER_H
#define COMMON_SETTINGS_INI_READER_H

/* As fgets. */
typedef char *(*ini_reader)(char *out, int size, void *stream);
/* 0 is failure. */
typedef int (*ini_handler)(void *user, const char *section, const char *name, const char *value);

/* Hands every "name = value" (or "name: value") to the handler, without blanks around; a ';' after
 * a blank starts a comment, as '#' and ';' do at the start of a line. 0; else the number, from 1,
 * of the first line that is none of it or that the handler refused. */
int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user);

#endif
