/* measured_runs.h - runs of fine-tuning that somebody measured, from a table with commas.
 *
 * The first line names the columns (`espalier help calibration import` lists them); those that are
 * not known are passed over, a missing one is refused by name, as is a cell that cannot be read:
 * "line 3: rank: \"x\", wanted an integer from 1 to 1024". Cells hold no quotes and no commas. */
#ifndef COORDINATOR_CLI_MEASURED_RUNS_H
#define COORDINATOR_CLI_MEASURED_RUNS_H

#include <stddef.h>

struct calibration_import_request;
struct err;

#define MEASURED_RUNS_MAX 1000
#define MEASURED_RUNS_TEXT_MAX (1024 * 1024)

/* chip: of the runs where no column says so; NULL: any. Runs with rc other than 0 are left out.
 * *out is checked, and yours to calibration_import_request_free. */
int measured_runs_read(const char *text, size_t len, const char *chip,
                       struct calibration_import_request **out, struct err *err);

#endif
