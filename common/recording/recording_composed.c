/* recording_composed.c - a Mac put together from tables: every value must name its row.
 *
 * The keys of `composed` are the names of the profile's rows and of metal's, side by side. A value
 * without a source is refused, and so is a source without a value: a demonstration that looks like
 * a real Mac has to show where every number comes from. */
#include "common/recording/recording_source.h"

#include "common/core/err.h"
#include "common/document/document.h"
#include "common/document/document_words.h"
#include "common/json/json.h"
#include "common/model/device.h"

#include <string.h>

static const char group[] = "composed";

static const struct json *sources_of(const struct recording *r)
{
    return json_member(json_member(r->root, group), "sources");
}

static bool is_of_profile(const char *key)
{
    static const char *const ours[] = {"origin", "recording_id", "name",   "agent_version",
                                       "metal",  "facts",        "unknown"};

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(ours[i], key) == 0)
            return false;
    return record_field(&profile_type, key) != NULL;
}

static bool is_of_metal(const char *key)
{
    return !is_of_profile(key) && strcmp(key, "name") != 0 && record_field(&metal_type, key);
}

static int check_source(struct recording *r, const char *key)
{
    const struct json *v = json_member(sources_of(r), key);
    char shown[DOCUMENT_VALUE_MAX];

    if (json_text(v) && json_text(v)[0])
        return 0;
    return err_set(r->err, ERR_INVALID,
                   "composed.sources.%.64s: %s, wanted the table and row of %.64s", key,
                   v ? document_shown(v, shown) : "missing", key);
}

/* The members that `mine` picks, as a record of the type. */
static void *read_part(struct recording *r, const struct record_type *type,
                       bool (*mine)(const char *key))
{
    struct json *part = json_object();
    struct err why = {ERR_NOMEM, "composed"};
    void *record = NULL;
    int rc = part ? 0 : -1;

    for (const struct json *m = json_first(json_member(r->root, group)); m && rc == 0;
         m = json_next(m)) {
        struct json *copy;

        if (!mine(json_name(m)))
            continue;
        copy = json_dup(m);
        rc = json_set(part, json_name(m), &copy);
    }
    if (rc < 0 || document_read(type, part, &record, &why) < 0)
        err_set(r->err, why.code, "composed.%s", why.text);
    json_free(part);
    return record;
}

static int check_keys(struct recording *r)
{
    const struct json *composed = json_member(r->root, group), *sources = sources_of(r);
    char shown[DOCUMENT_VALUE_MAX], path[DOCUMENT_PATH_MAX];

    if (json_type_of(sources) != JSON_OBJECT)
        return err_set(r->err, ERR_INVALID, "composed.sources: %s, wanted an object",
                       sources ? document_shown(sources, shown) : "missing");
    for (const struct json *m = json_first(composed); m; m = json_next(m)) {
        if (m == sources)
            continue;
        if (!is_of_profile(json_name(m)) && !is_of_metal(json_name(m)))
            return document_refuse_key(&profile_type, json_name(m),
                                       document_path(group, json_name(m), path), r->err);
        if (check_source(r, json_name(m)) < 0)
            return -1;
    }
    for (const struct json *m = json_first(sources); m; m = json_next(m))
        if (!json_member(composed, json_name(m)))
            return err_set(r->err, ERR_INVALID, "%s: a source without a value",
                           document_path("composed.sources", json_name(m), path));
    return 0;
}

static int note_sources(struct recording *r)
{
    struct profile *p = r->profile;

    for (const struct json *m = json_first(sources_of(r)); m; m = json_next(m))
        if (recording_note(&p->facts, &p->facts_count, is_of_metal(json_name(m)) ? "metal." : "",
                           json_name(m), FACT_SOURCE_COMPOSED, json_text(m), r->err) < 0)
            return -1;
    return 0;
}

static bool any_known(const struct record_type *type, const void *record)
{
    for (size_t i = 0; i < type->count; i++)
        if (field_is_known(&type->fields[i], record))
            return true;
    return false;
}

static int read_profile(struct recording *r)
{
    struct profile *p = read_part(r, &profile_type, is_of_profile);

    profile_free(r->profile);
    r->profile = p;
    if (!p || !(p->metal = read_part(r, &metal_type, is_of_metal)))
        return -1;
    if (!any_known(&metal_type, p->metal)) {
        metal_free(p->metal);
        p->metal = NULL;
    }
    if (note_sources(r) < 0)
        return -1;
    if (p->os_name)
        return 0;
    if (text_set(&p->os_name, "macOS", r->err) < 0)
        return -1;
    return recording_note(&p->facts, &p->facts_count, "", "os_name", FACT_SOURCE_DERIVED,
                          "composed machines are Macs", r->err);
}

int recording_composed(struct recording *r)
{
    return check_keys(r) < 0 || read_profile(r) < 0 ? -1 : 0;
}
