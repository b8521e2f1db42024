/* commands.c - the table of commands: a row each, from which dispatch and help are made. */
#include "coordinator/cli/cli.h"

#include <string.h>

#define BIT(id) OPTION_BIT(OPTION_##id)

/* What every command takes that asks a coordinator. */
#define ASKING                                                                                  \
    (BIT(HELP) | BIT(JSON) | BIT(SOCKET) | BIT(DATA_DIR) | BIT(COORDINATOR) | BIT(SERVER_KEY) | \
     BIT(KEY) | BIT(TIMEOUT))
#define PREDICTING                                                                        \
    (BIT(MODEL) | BIT(FORMAT) | BIT(ENGINE) | BIT(METHOD) | BIT(TARGETS) | BIT(RANK) |    \
     BIT(LAYERS) | BIT(BATCH) | BIT(SEQ) | BIT(CHECKPOINT) | BIT(PROMPT) | BIT(CONTEXT) | \
     BIT(DEVICE) | BIT(MACHINE))
/* A fleet that is given, and how to play on it. */
#define GIVEN (BIT(FLEET) | BIT(SYNTHETIC) | BIT(SEED))
#define PLAYING (GIVEN | BIT(ROUNDS) | BIT(JITTER) | BIT(AVAILABILITY) | BIT(PLOT))
#define PLANNING (ASKING | BIT(ENGINE) | BIT(DRY_RUN) | BIT(WAIT))

static const char devices_text[] =
    "The list has a line per device. `state` is how lately it was heard; `origin` says where its "
    "facts come from: mac is a real one, composed and recorded are demonstrations, linux is no "
    "Mac, and * means that its state is made up (synthetic). \"?\" is a fact that is not known; "
    "with a device's id, the start of its id, or its name, everything is shown, also why a fact "
    "is unknown.\n"
    "Physical memory is named as Apple names it (8 GB for 8 x 2^30 bytes), all else in units of "
    "1000.";

static const char make_text[] =
    "Reads the job (`espalier help job` has every field; files that it mentions are read from "
    "beside it and sent), has it planned, and prints what each client does, what that will cost, "
    "and what one common configuration for all would have cost.\n"
    "The plan is stored and delivered unless --dry-run is given. With --wait the deliveries are "
    "shown until every client has its assignment checked and written (applied), or ended "
    "otherwise.";

static const char device_text[] =
    "Reads the job (`espalier help lora` and `espalier help diffusion` have every field; files "
    "that it mentions are read from beside it and sent), has it planned for the device from what "
    "that device reports, and prints the configuration, its predicted memory and time, and where "
    "both come from.\n"
    "The plan is stored and delivered to the device unless --dry-run is given. With --wait the "
    "delivery is shown until the device has it checked and written (applied), or it ended "
    "otherwise.";

static const char why_text[] =
    "Every field of the client's assignment with its value, what bound it and the reason; what "
    "the engine proposed for clients of its kind and what became of it; for a client that was "
    "left out, why, and what would let it in.";

static const char plan_check_text[] =
    "PROPOSAL is a JSON file: the typed outputs of a plan's signature (`espalier signature show "
    "--typed` has them: pipeline_architecture, client_optimization, ...), alone or in a member "
    "\"federated\" or \"pipeline\"; or a plan, as `plan show --json` prints it. It is checked "
    "against the coordinator's devices (what other plans hold of their memory counts as free), or "
    "without a coordinator against --fleet or --synthetic.\n"
    "Every value that breaks a limit is shown with the limit and the nearest value that fits. "
    "Repairs come in this order: quantise, smaller batch with more accumulation, checkpointing, "
    "fewer layers, shorter sequences, fewer updates, lower rank, leave the client out. A proposal "
    "that is feasible but more than 10 % worse than the planner's own plan is replaced by it.\n"
    "Exit code 0: it fits as it stands; 7: repaired; 8: replaced; 1: no plan is feasible at all.";

static const char plan_diff_text[] =
    "A and B are plans: ids, or JSON files as `plan show --json` prints them. Shows the forecast, "
    "then what changed for each stage and client, field by field, with the reason that the second "
    "plan gives. Clients that changed alike are one line.";

static const char envelope_text[] =
    "Per class of devices: how many configurations of the grid (format, checkpointing, layers, "
    "length, micro-batch) fit, the largest batch, the fastest, and what binds a class of which none "
    "does. With --device the configurations of its class, each with memory, step time and tokens/s, "
    "then those that do not fit, with what binds them.";

static const char simulate_text[] =
    "Plays the job's rounds on the coordinator's fleet, or without a coordinator on the machine "
    "files of --fleet or on --synthetic made-up Macs, by the plan and by what people do without "
    "one: one configuration for all, clients at random, clients as Oort selects them; a pipeline "
    "against one device, random, in turn, by memory, and list scheduling alone. Shows round times, "
    "how much of the clients' time was useful, bytes, energy and void rounds. `same work` is the "
    "time for the tokens of one round of the plan.\n"
    "What is taken as true is the planner's own model: the table compares policies, it measures "
    "nothing.";

static const char allow_text[] =
    "An agent shows its key with `espalier-agent key`, a tool with `espalier key`. Without "
    "--tool the key is an agent's, and its device may join at once. With --device it takes the "
    "place of that device's key: a Mac that was set up anew keeps its id, plans and history.";

static const char watch_text[] =
    "Goes on until every assignment has ended or lies applied with nothing to run; --timeout "
    "sets a limit. On a terminal one line is rewritten, elsewhere a line is printed at each "
    "change.";

static const char calibration_text[] =
    "A line per kind of run: backend, chip, model, method. The factors are measured over predicted, "
    "of activations and of step time, and correct the plans made from now on (`plan why` says so). "
    "They are weighted means: the first reading counts whole, later ones 0.3. A reading counts as "
    "at most 1.5 times off what stands, activations stay within 0.8 and 1.5, steps within 0.25 "
    "and 4, so that one bad reading moves nothing far; outliers are those that were cut so.";

static const char import_text[] =
    "The file has a heading and a run per line: hidden, layers, heads, kv_heads, head_dim, ffn, "
    "vocab, tied (0 or 1), params, rank, num_layers, batch, seq, peak_mem_gb, and where known "
    "model_type (llama), format or dtype (bf16), targets (all), fine_tune (lora), grad_checkpoint "
    "(0), active_gb (held between steps), it_s (iterations a second), rc (not 0: failed, left "
    "out), chip, gpu_cores, backend. Other columns are passed over. Without a chip the runs speak "
    "for the memory of every chip of the backend; without a backend it is metal for an Apple chip, "
    "else cpu.";

static const char predict_text[] =
    "--model, --format, and --device or --machine are needed. With an option of training "
    "(--method and those after it) the memory is that of training, else that of answering a "
    "prompt. Each rate says where it comes from: measured on the machine, from the table of "
    "published chips, or derived from chips near by; and the error to expect.\n"
    "A machine file is a recorded or composed machine, or no more than "
    "{\"chip\": \"Apple M4 Max\", \"gpu_cores\": 40, \"memory_gb\": 64}. What is left out of it "
    "cannot be said, and the answer names it.";
/* What the signature commands take that touch no fleet. */
#define PURE (BIT(HELP) | BIT(JSON) | BIT(FOLDER))
#define QUESTION \
    (BIT(INPUTS) | BIT(ADAPTER) | BIT(FRAMING) | BIT(STATE) | BIT(PREDICTOR) | BIT(AS_TEXT))
#define CHOICE (BIT(TYPED) | BIT(MODULE) | BIT(NO_CONTEXT))

static const char signature_name_text[] =
    "NAME may leave out \"Signature\" at its end; a line like \"question -> answer: int\" is a "
    "signature too.";

static const char create_text[] =
    "One of three ways. --domain makes a signature for whatever has none of its own, with the "
    "--hardware at hand as a default and your own outputs. A LINE like \"question, context: "
    "list[str] -> answer: int\" is a whole signature. --base begins with others and changes them: "
    "--append, --prepend, --insert, --without, one after the other.\n"
    "A FIELD is NAME, NAME:TYPE, NAME=DESCRIPTION or NAME:TYPE=DESCRIPTION; types are Python's: "
    "str, int, float, bool, list[str], dict[str, int], Literal['a', 'b'], Optional[int].\n"
    "A name that would get two meanings is refused. Every signature asks for hardware and "
    "performance context, or says why not (--no-context).";

static const char lint_text[] =
    "What is likely to go wrong with a signature before any model has seen it. A word with a dot "
    "or a slash is a file. Exit code 1 when there is an error among the findings.";

static const char check_text[] =
    "Reads a program that DSPy saved as JSON (2.4 to 3.x), holds it against the signature, and "
    "shows what it would change. A program that was made with dspy.ChainOfThought needs --module "
    "chain_of_thought. Nothing is changed.";

static const char render_text[] =
    "Prints the messages exactly as a model would get them, without asking one. --inputs is a file "
    "with a JSON object: a value for each input, of any JSON type; - is standard input. An input "
    "without a value takes its default, or is left out. With --state the words and examples of a "
    "program that DSPy saved are used; with --framing the words around them.";

static const char export_text[] =
    "--python prints the class that DSPy would have, --definition a data file for a folder of "
    "signatures, and --state writes a program file that DSPy loads, with the words and examples "
    "of another program where --from names one. A program with several predictors is exported as "
    "PATH=NAME words: optimize.predict=LoRAOptimization.";

static const char run_text[] =
    "Asks the coordinator, which asks its model, and prints the value of each output, how often "
    "the model was asked, what that cost, and what had to be repaired. An answer that cannot be "
    "read is asked for once more, with what was wrong with it; a chat answer then once as JSON. "
    "Exit code 1 when there is no usable answer.";

static const char help_text[] =
    "Topics: job (every field of a job file), federated, pipeline, lora and diffusion (the same "
    "for one kind of job).";

const struct command commands[] = {
    {"status", "", "how the coordinator is", NULL, ASKING, 0, 0, cmd_status},
    {"devices", "[ID]", "list the fleet, or show all about one device", devices_text, ASKING, 0, 1,
     cmd_devices},
    {"devices allow", "KEY", "let a key in", allow_text,
     ASKING | BIT(TOOL) | BIT(NAME) | BIT(DEVICE), 1, 1, cmd_devices_allow},
    {"devices forget", "ID|KEY", "shut a key out and forget its device", NULL, ASKING, 1, 1,
     cmd_devices_forget},
    {"devices keys", "", "list the keys that are let in", NULL, ASKING, 0, 0, cmd_devices_keys},
    {"plan federated", "JOB.json", "plan a federated fine-tuning job", make_text, PLANNING, 1, 1,
     cmd_plan_federated},
    {"plan pipeline", "JOB.json", "plan an ML pipeline", make_text, PLANNING, 1, 1,
     cmd_plan_pipeline},
    {"plan lora", "JOB.json", "plan LoRA fine-tuning on one device", device_text,
     PLANNING | BIT(DEVICE), 1, 1, cmd_plan_lora},
    {"plan diffusion", "JOB.json", "plan image generation on one device", device_text,
     PLANNING | BIT(DEVICE), 1, 1, cmd_plan_diffusion},
    {"plan show", "ID", "print a plan, how it fares, and what was measured", NULL,
     ASKING | BIT(CLIENT) | BIT(PROPOSAL), 1, 1, cmd_plan_show},
    {"plan why", "ID DEVICE", "why a client does what it does, or nothing", why_text, ASKING, 2, 2,
     cmd_plan_why},
    {"plan check", "JOB.json PROPOSAL.json", "check a proposal of yours, and repair it",
     plan_check_text, ASKING | GIVEN, 2, 2, cmd_plan_check},
    {"plan diff", "A B", "what changed from one plan to another", plan_diff_text, ASKING, 2, 2,
     cmd_plan_diff},
    {"plan envelope", "JOB.json", "what each class of Macs can do for a job, and what not",
     envelope_text, ASKING | GIVEN | BIT(DEVICE), 1, 1, cmd_plan_envelope},
    {"plan simulate", "JOB.json", "play a job's rounds, against what people do without a plan",
     simulate_text, ASKING | PLAYING, 1, 1, cmd_plan_simulate},
    {"plan watch", "ID", "watch a plan's deliveries", watch_text, ASKING, 1, 1, cmd_plan_watch},
    {"plan cancel", "ID", "cancel a plan and its open deliveries", NULL, ASKING | BIT(REASON), 1, 1,
     cmd_plan_cancel},
    {"plans", "", "list plans, newest first", NULL, ASKING, 0, 0, cmd_plans},
    {"calibration", "", "what measurements have taught", calibration_text, ASKING, 0, 0,
     cmd_calibration},
    {"calibration import", "RUNS.csv", "learn from runs measured elsewhere", import_text,
     ASKING | BIT(CHIP), 1, 1, cmd_calibration_import},
    {"predict", "", "will a model fit on a Mac, and how fast will it be there", predict_text,
     ASKING | PREDICTING, 0, 0, cmd_predict},
    {"signature list", "", "list the signatures there are", NULL, PURE | BIT(CATEGORY), 0, 0,
     cmd_signature_list},
    {"signature show", "NAME", "show a signature", signature_name_text,
     PURE | CHOICE | BIT(PYTHON) | BIT(DEFINITION), 1, 1, cmd_signature_show},
    {"signature create", "[LINE]", "make a signature", create_text,
     PURE | BIT(DOMAIN) | BIT(HARDWARE) | BIT(FIELD) | BIT(BASE) | BIT(APPEND) | BIT(PREPEND) |
         BIT(INSERT) | BIT(WITHOUT) | BIT(RENAME) | BIT(INSTRUCTIONS) | BIT(ADD_INSTRUCTIONS) |
         BIT(NO_CONTEXT) | BIT(PYTHON) | BIT(DEFINITION) | BIT(SAVE),
     0, 1, cmd_signature_create},
    {"signature lint", "NAME|FILE", "look for what is likely to go wrong", lint_text, PURE, 1, 1,
     cmd_signature_lint},
    {"signature check", "STATE", "hold a saved program against a signature", check_text,
     PURE | CHOICE | BIT(SIGNATURE) | BIT(PREDICTOR) | BIT(AS_TEXT), 1, 1, cmd_signature_check},
    {"signature render", "NAME", "print the messages of a question", render_text,
     PURE | CHOICE | QUESTION, 1, 1, cmd_signature_render},
    {"signature export", "NAME...", "write a signature for DSPy", export_text,
     PURE | CHOICE | BIT(PYTHON) | BIT(DEFINITION) | BIT(STATE) | BIT(FROM) | BIT(PREDICTOR) |
         BIT(AS_TEXT),
     1, ARGS_WORDS_MAX - 2, cmd_signature_export},
    {"signature run", "NAME", "ask the coordinator's model", run_text,
     ASKING | CHOICE | QUESTION | BIT(FOLDER) | BIT(NO_RETRY) | BIT(NO_FALLBACK), 1, 1,
     cmd_signature_run},
    {"key", "", "print this tool's public key, made at first use", NULL,
     BIT(HELP) | BIT(JSON) | BIT(KEY) | BIT(DATA_DIR), 0, 0, cmd_key},
    {"help", "[COMMAND|TOPIC]", "show help", help_text, BIT(HELP), 0, 3, cmd_help},
    {"version", "", "print the version", NULL, BIT(HELP) | BIT(JSON), 0, 0, cmd_version},
};
const size_t commands_count = sizeof commands / sizeof commands[0];

/* How many of the words are the command's own; 0 when they are another's. */
static size_t words_of(const struct command *command, const char *const *words, size_t count)
{
    const char *own = command->words;
    size_t used = 0;

    while (*own) {
        size_t len = strcspn(own, " ");

        if (used == count || strlen(words[used]) != len || memcmp(words[used], own, len) != 0)
            return 0;
        used++;
        own += len + strspn(own + len, " ");
    }
    return used;
}

const struct command *command_find(const char *const *words, size_t count, size_t *used)
{
    const struct command *found = NULL;

    *used = 0;
    for (size_t i = 0; i < commands_count; i++) {
        size_t own = words_of(&commands[i], words, count);

        if (own > *used) {
            *used = own;
            found = &commands[i];
        }
    }
    return found;
}
