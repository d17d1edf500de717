from accsearch.start_folder import leave_off_path

if __name__ == "__main__":
    leave_off_path()

    from accsearch.cli.app import main

    main()
