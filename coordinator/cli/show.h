/* show.h - answers of the coordinator as pages for people.
 *
 * Each function adds to a page and changes nothing else. Records are as decoded: whatever is
 * unknown is shown as such or left out. Texts in them are strangers'; the page cleans them. Pure.
 */
#ifndef COORDINATOR_CLI_SHOW_H
#define COORDINATOR_CLI_SHOW_H

#include "coordinator/cli/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct assignment;
struct deliveries_reply;
struct delivery;
struct device;
struct fact_note;
struct plan;
struct plan_check;
struct plan_diff;
struct plan_reply;
struct record_type;
struct response;
struct simulation;
struct table;

/* Columns of a page that a device's name keeps before other facts of it go: names of one lab differ
 * at their end. */
#define NAME_LEAST 24

/* ---- any record (show_record.c) ---- */

/* Every known field but those of `skip` (NULL at the end; NULL: none), as "name  value", records
 * within it indented. facts (may be NULL) say how a field was learnt. */
void show_record(struct page *p, size_t indent, const struct record_type *type, const void *record,
                 const char *const *skip, const struct fact_note *facts, size_t facts_count);

/* One such line. */
void show_value(struct page *p, size_t indent, const char *name, const char *value);

/* ---- devices (show_devices.c) ---- */

struct table *show_devices_table(void);
void show_devices_row(struct table *t, const struct device *d);
bool show_devices_synthetic(const struct device *d); /* its state is made up */
void show_device(struct page *p, const struct device *d);

/* ---- plans ---- */

/* What a plan is, a line per client, the forecast, warnings (show_plan.c). `waiting`: deliveries
 * are shown afterwards, so their column is left out. */
void show_plan(struct page *p, const struct plan_reply *reply, bool waiting);

/* The parts of a plan's page. */
void show_plan_header(struct page *p, const struct plan *plan);
void show_plan_forecast(struct page *p, const struct plan *plan);
/* Warnings, engine, repairs; `hint`: where to see more. */
void show_plan_notes(struct page *p, const struct plan *plan, bool hint);
void show_measurements(struct page *p, const struct plan_reply *reply, size_t most);
void show_clients(struct page *p, const struct plan_reply *reply, bool waiting);
void show_pipeline(struct page *p, const struct plan_reply *reply, bool waiting);
/* Of plans of one device (show_device_plan.c). */
void show_lora_header(struct page *p, const struct plan *plan);
void show_diffusion_header(struct page *p, const struct plan *plan);
void show_images(struct page *p, const struct plan_reply *reply, bool waiting);

/* One client (show_client.c): all of its assignment; or the reasons for it. */
void show_client(struct page *p, const struct plan_reply *reply, const struct assignment *a);
void show_why(struct page *p, const struct plan *plan, const struct assignment *a);

/* What the engine proposed and what became of it (show_proposal.c). */
void show_proposal(struct page *p, const struct plan *plan);

/* The decisions on these subjects (a class, a device, stages) as a table; how many there were. */
size_t show_decisions(struct page *p, const struct plan *plan, const char *const *subjects,
                      size_t count);

/* What became of a proposal; what changed (show_check.c). */
void show_plan_check(struct page *p, const struct plan_check *c, const char *fleet);
void show_plan_diff(struct page *p, const struct plan_diff *d);

/* Policies side by side (show_simulation.c). */
void show_simulation(struct page *p, const struct simulation *s);

/* ---- helpers (show_parts.c) ---- */

/* A device's name where it has one, else its id; never NULL. */
const char *show_client_name(const struct assignment *a);
/* Why it takes part or not, without the words that say whether; never NULL. */
const char *show_reason(const struct assignment *a);
const char *show_device_name(const struct plan *plan, const char *device_id);

const struct assignment *show_assignment(const struct plan *plan, const char *device_id);
const struct delivery *show_delivery(const struct plan_reply *reply, const char *device_id);
const struct class_summary *show_class(const struct plan *plan, const char *client_class);

/* "sent", "failed (3)"; "-" for NULL. */
const char *show_delivery_word(const struct delivery *d, char *out, size_t size);
enum style show_delivery_style(const struct delivery *d);

/* Columns that a table had no room for. */
void show_hidden(struct page *p, const struct table *t);

#endif
