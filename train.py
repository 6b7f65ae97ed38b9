from gradflow.sweep.cli import main

if __name__ == "__main__":  # the processes of a run on several devices import this file
    main()
