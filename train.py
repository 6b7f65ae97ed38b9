from gradflow.sweep.cli import main

if __name__ == "__main__":  # a run on several devices starts processes that import this file
    main()
