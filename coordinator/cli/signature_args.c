/* signature_args.c - see signature_args.h. */
#include "coordinator/cli/signature_args.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "coordinator/cli/args.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/datum_json.h"

#include <stdio.h>
#include <string.h>

struct catalog *signature_args_catalog(const struct args *a, struct err *err)
{
    const char *folder = a->value[OPTION_FOLDER];
    struct catalog *c = folder ? catalog_new_from_folder(folder, err) : catalog_new(err);

    if (!c && folder)
        err_prefix(err, "%s",
                   a->from_env[OPTION_FOLDER] ? args_options[OPTION_FOLDER].env
                                              : args_options[OPTION_FOLDER].name);
    return c;
}

/* ---- fields ---- */

/* Where the description begins: the first = outside brackets and quotes; NULL: there is none. */
static const char *find_equals(const char *text)
{
    int depth = 0;
    char quote = 0;

    for (const char *p = text; *p; p++) {
        if (quote)
            quote = *p == quote ? 0 : quote;
        else if (depth > 0 && (*p == '\'' || *p == '"'))
            quote = *p;
        else if (*p == '[')
            depth++;
        else if (*p == ']')
            depth--;
        else if (*p == '=' && depth == 0)
            return p;
    }
    return NULL;
}

/* Blanks around it go. */
static int set_part(char **out, const char *text, size_t len, struct err *err)
{
    while (len && *text == ' ') {
        text++;
        len--;
    }
    while (len && text[len - 1] == ' ')
        len--;
    if (!(*out = mem_strndup(text, len)))
        return err_set(err, ERR_NOMEM, "field");
    return 0;
}

static int take_direction(const char **text, int *direction)
{
    static const struct {
        const char *word;
        int direction;
    } words[] = {{"input:", SIGNATURE_INPUT}, {"output:", SIGNATURE_OUTPUT}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strncmp(*text, words[i].word, strlen(words[i].word)) == 0) {
            *text += strlen(words[i].word);
            *direction = words[i].direction;
            return 0;
        }
    }
    return -1;
}

int signature_args_field(const char *option, const char *text, int direction,
                         struct signature_field_info *out, struct err *err)
{
    const char *equals, *colon, *end;

    if (!direction && take_direction(&text, &direction) < 0)
        return err_set(err, ERR_INVALID,
                       "%s: \"%.60s\", wanted input: or output: before the field's name", option,
                       text);
    equals = find_equals(text);
    end = equals ? equals : text + strlen(text);
    colon = memchr(text, ':', (size_t)(end - text));
    out->direction = direction;
    if (set_part(&out->name, text, (size_t)((colon ? colon : end) - text), err) < 0 ||
        (colon && set_part(&out->type, colon + 1, (size_t)(end - colon - 1), err) < 0) ||
        (equals && set_part(&out->description, equals + 1, strlen(equals + 1), err) < 0))
        return -1;
    if (!*out->name)
        return err_set(err, ERR_INVALID, "%s: \"%.60s\", wanted NAME, or NAME=DESCRIPTION", option,
                       text);
    return 0;
}

/* ---- creating ---- */

static int add_hardware(struct factory_spec *spec, const char *fact, struct err *err)
{
    const char *equals = strchr(fact, '=');
    struct named_datum *d;

    if (!equals || equals == fact)
        return err_set(err, ERR_INVALID, "--hardware: \"%.60s\", wanted KEY=VALUE", fact);
    if (!(d = records_add(&named_datum_type, &spec->hardware, &spec->hardware_count, err)) ||
        set_part(&d->name, fact, (size_t)(equals - fact), err) < 0 || !(d->value = datum_new(err)))
        return -1;
    d->value->form = VALUE_FORM_TEXT;
    return text_set(&d->value->text, equals + 1, err);
}

static int fill_factory(const struct args *a, struct factory_spec *spec, struct err *err)
{
    if (text_set(&spec->domain, a->value[OPTION_DOMAIN], err) < 0)
        return -1;
    for (size_t i = 0; i < a->many_count; i++) {
        struct signature_field_info *f;

        if (a->many[i].id == OPTION_HARDWARE && add_hardware(spec, a->many[i].value, err) < 0)
            return -1;
        if (a->many[i].id != OPTION_FIELD)
            continue;
        f = records_add(&signature_field_info_type, &spec->fields, &spec->fields_count, err);
        if (!f || signature_args_field("--field", a->many[i].value, SIGNATURE_OUTPUT, f, err) < 0)
            return -1;
    }
    return 0;
}

/* "2:" before the field of --insert. */
static int take_index(const char **text, int64_t *index, struct err *err)
{
    const char *colon = strchr(*text, ':');
    size_t len = colon ? (size_t)(colon - *text) : 0;

    if (!colon || num_parse_i64(*text, len, -64, 64, index, "--insert", NULL) < 0)
        return err_set(err, ERR_INVALID,
                       "--insert: \"%.60s\", wanted INDEX:input:FIELD, say "
                       "0:output:NAME",
                       *text);
    *text = colon + 1;
    return 0;
}

static int add_insertion(struct compose_spec *spec, enum option_id id, const char *text,
                         struct err *err)
{
    struct insertion *in =
        records_add(&insertion_type, &spec->insertions, &spec->insertions_count, err);

    if (!in || !(in->field = signature_field_info_new(err)))
        return -1;
    in->index = id == OPTION_PREPEND ? 0 : -1;
    if (id == OPTION_INSERT && take_index(&text, &in->index, err) < 0)
        return -1;
    return signature_args_field(args_options[id].name, text, 0, in->field, err);
}

static int fill_composition(const struct args *a, struct compose_spec *spec, struct err *err)
{
    for (size_t i = 0; i < a->many_count; i++) {
        const char *value = a->many[i].value;
        enum option_id id = a->many[i].id;
        int rc = 0;

        if (id == OPTION_BASE)
            rc = texts_add(&spec->bases, &spec->bases_count, value, err);
        else if (id == OPTION_WITHOUT)
            rc = texts_add(&spec->without, &spec->without_count, value, err);
        else if (id == OPTION_APPEND || id == OPTION_PREPEND || id == OPTION_INSERT)
            rc = add_insertion(spec, id, value, err);
        if (rc < 0)
            return -1;
    }
    if (text_set(&spec->name, a->value[OPTION_RENAME], err) < 0 ||
        text_set(&spec->instructions, a->value[OPTION_INSTRUCTIONS], err) < 0)
        return -1;
    return text_set(&spec->append_instructions, a->value[OPTION_ADD_INSTRUCTIONS], err);
}

static int fill_line(const struct args *a, const char *line, struct line_spec *spec,
                     struct err *err)
{
    if (text_set(&spec->line, line, err) < 0 ||
        text_set(&spec->name, a->value[OPTION_RENAME], err) < 0)
        return -1;
    return text_set(&spec->instructions, a->value[OPTION_INSTRUCTIONS], err);
}

/* Options that belong to another way of making one would be silently without effect. */
static int check_ways(const struct args *a, const char *line, struct err *err)
{
    static const enum option_id factory[] = {OPTION_FIELD, OPTION_HARDWARE};
    static const enum option_id composition[] = {OPTION_APPEND, OPTION_PREPEND, OPTION_INSERT,
                                                 OPTION_WITHOUT, OPTION_ADD_INSTRUCTIONS};
    bool domain = args_has(a, OPTION_DOMAIN), base = args_has(a, OPTION_BASE);

    if ((line != NULL) + domain + base != 1)
        return err_set(err, ERR_INVALID,
                       "wanted one of a line (\"question -> answer\"), --domain and --base");
    for (size_t i = 0; i < sizeof factory / sizeof factory[0]; i++)
        if (args_has(a, factory[i]) && !domain)
            return err_set(err, ERR_INVALID, "%s goes with --domain",
                           args_options[factory[i]].name);
    for (size_t i = 0; i < sizeof composition / sizeof composition[0]; i++)
        if (args_has(a, composition[i]) && !base)
            return err_set(err, ERR_INVALID, "%s goes with --base",
                           args_options[composition[i]].name);
    if (domain && (args_has(a, OPTION_RENAME) || args_has(a, OPTION_INSTRUCTIONS)))
        return err_set(err, ERR_INVALID, "--domain gives name and instructions itself");
    return 0;
}

int signature_args_create(const struct args *a, const char *line,
                          struct signature_create_request *out, struct err *err)
{
    if (check_ways(a, line, err) < 0 ||
        text_set(&out->no_context, a->value[OPTION_NO_CONTEXT], err) < 0)
        return -1;
    if (args_has(a, OPTION_PYTHON))
        out->python = TRI_TRUE;
    if (line)
        return (out->line = line_spec_new(err)) ? fill_line(a, line, out->line, err) : -1;
    if (args_has(a, OPTION_DOMAIN))
        return (out->factory = factory_spec_new(err)) ? fill_factory(a, out->factory, err) : -1;
    return (out->composition = compose_spec_new(err)) ? fill_composition(a, out->composition, err)
                                                      : -1;
}

/* ---- asking ---- */

int signature_args_choice(const struct args *a, const char *name, struct signature_choice *out,
                          struct err *err)
{
    const char *module = a->value[OPTION_MODULE];

    if (args_has(a, OPTION_TYPED))
        out->typed = TRI_TRUE;
    if (module && enum_parse(&signature_module_names, module, &out->module, "--module", err) < 0)
        return -1;
    if (text_set(&out->no_context, a->value[OPTION_NO_CONTEXT], err) < 0)
        return -1;
    return text_set(&out->name, name, err);
}

static int read_file(const struct args *a, enum option_id id, size_t max, char **out,
                     struct err *err)
{
    if (args_has(a, id) && file_read(a->value[id], max, out, NULL, err) < 0)
        return err_prefix(err, "%s", args_options[id].name);
    return 0;
}

static char *read_stdin(struct err *err)
{
    char *text = mem_alloc(SIGNATURE_INPUTS_MAX + 1);
    size_t len;

    if (!text) {
        err_set(err, ERR_NOMEM, "standard input");
        return NULL;
    }
    len = fread(text, 1, SIGNATURE_INPUTS_MAX + 1, stdin);
    if (len > SIGNATURE_INPUTS_MAX || ferror(stdin)) {
        err_set(err, len > SIGNATURE_INPUTS_MAX ? ERR_TOO_BIG : ERR_IO,
                "standard input: cannot be read, or more than %d bytes", SIGNATURE_INPUTS_MAX);
        mem_free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}

static int read_inputs(const struct args *a, struct signature_question *out, struct err *err)
{
    const char *path = a->value[OPTION_INPUTS];
    char *text = NULL;
    int rc;

    if (!path)
        return err_set(err, ERR_INVALID, "--inputs: missing, wanted a file with a JSON object");
    if (strcmp(path, "-") == 0)
        text = read_stdin(err);
    else
        read_file(a, OPTION_INPUTS, SIGNATURE_INPUTS_MAX, &text, err);
    if (!text)
        return -1;
    rc = named_data_read(path, text, strlen(text), &out->inputs, &out->inputs_count, err);
    mem_free(text);
    return rc;
}

int signature_args_question(const struct args *a, const char *name, struct signature_question *out,
                            struct err *err)
{
    const char *adapter = a->value[OPTION_ADAPTER];

    if (!(out->signature = signature_choice_new(err)) ||
        signature_args_choice(a, name, out->signature, err) < 0 || read_inputs(a, out, err) < 0)
        return -1;
    if (adapter &&
        enum_parse(&signature_adapter_names, adapter, &out->adapter, "--adapter", err) < 0)
        return -1;
    if (args_has(a, OPTION_AS_TEXT))
        out->as_text = TRI_TRUE;
    if (args_has(a, OPTION_PREDICTOR) && !args_has(a, OPTION_STATE))
        return err_set(err, ERR_INVALID, "--predictor goes with --state");
    if (text_set(&out->state_path, a->value[OPTION_PREDICTOR], err) < 0 ||
        read_file(a, OPTION_FRAMING, SIGNATURE_FRAMING_MAX, &out->framing, err) < 0)
        return -1;
    return read_file(a, OPTION_STATE, SIGNATURE_STATE_MAX, &out->state, err);
}
