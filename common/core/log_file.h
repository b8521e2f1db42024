/* log_file.h - log lines into a file, which is set aside when it is full.
 *
 * For daemons whose starter keeps what they print for ever: launchd does, and newsyslog cannot make
 * a program let go of a file that it renamed. The file is PATH; when the next line would take it
 * past its size it becomes PATH.1, what was PATH.1 becomes PATH.2, and so on, and the oldest goes.
 * A file that somebody else moved or removed is made anew with the next line, so logrotate needs no
 * signal either. A line that cannot be written (a full disk) goes to stderr. Any thread may log;
 * the two calls here belong to the one that starts the program. */
#ifndef COMMON_CORE_LOG_FILE_H
#define COMMON_CORE_LOG_FILE_H

#include <stdint.h>

struct err;

#define LOG_FILES_MAX 100
#define LOG_FILE_MIN_BYTES 65536 /* some hundred lines: less would be set aside all the time */

/* From now on; a second call changes to another file. `files` older ones are kept, 0 to
 * LOG_FILES_MAX. Made with mode 0640. On failure lines go where they went before. */
int log_file_open(const char *path, int64_t max_bytes, int files, struct err *err);

/* To stderr again. */
void log_file_close(void);

#endif
