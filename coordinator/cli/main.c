/* main.c - espalier: the command line tool. All of it is in cli.c and the commands, where tests
 * reach it. */
#include "coordinator/cli/cli.h"

extern char **environ;

int main(int argc, char **argv)
{
    return cli_run(argc, argv, environ, stdout, stderr);
}
