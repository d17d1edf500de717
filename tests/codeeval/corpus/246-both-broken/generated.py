pipe = [
