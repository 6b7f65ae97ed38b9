"""Stand-in for sacct, which answers nothing without an accounting database: the states of jobs, from squeue.

It answers what submitit asks, `sacct -o JobID,State,NodeList --parsable2 -j 12 -j 13`, for all jobs that slurmctld
remembers (MinJobAge). Jobs that it does not know are left out, as sacct leaves them out.
"""

import argparse
import subprocess
import sys

SQUEUE_FORMATS = {"JobID": "%i", "State": "%T", "NodeList": "%N"}


def main() -> int:
    """Print a header and a line for each job or, while they are pending together, for a range of an array."""
    parser = argparse.ArgumentParser(prog="sacct")
    parser.add_argument("-o", "--format", default="JobID,State,NodeList", help="any of %(default)s")
    parser.add_argument("-P", "--parsable2", action="store_true", required=True)
    parser.add_argument("-j", "--jobs", action="append", required=True)
    arguments = parser.parse_args()
    fields = arguments.format.split(",")
    if unknown := set(fields) - set(SQUEUE_FORMATS):
        parser.error(f"this stand-in does not know {', '.join(unknown)}, only {', '.join(SQUEUE_FORMATS)}")
    print("|".join(fields), flush=True)
    form = "|".join(SQUEUE_FORMATS[field] for field in fields)
    for job in ",".join(arguments.jobs).split(","):  # one by one: squeue refuses a list with an unknown job in it
        command = ["squeue", "--noheader", "--states=all", f"--jobs={job}", f"--format={form}"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode != 0 and "Invalid job id" not in answer.stderr:
            print(answer.stderr, end="", file=sys.stderr)
            return answer.returncode
        print(answer.stdout, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
