"""The program inside the sandbox: runs a generated file and answers the parent's requests.

Nothing here is trusted: the generated file shares this process and may change any of it. The parent judges
by images and times that it takes itself.
"""
