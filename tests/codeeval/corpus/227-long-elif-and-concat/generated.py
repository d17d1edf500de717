import torch
from diffusers import StableDiffusionPipeline
kind = "k39"
if kind == "k0":
    steps = 11
elif kind == "k1":
    steps = 12
elif kind == "k2":
    steps = 13
elif kind == "k3":
    steps = 14
elif kind == "k4":
    steps = 15
elif kind == "k5":
    steps = 16
elif kind == "k6":
    steps = 17
elif kind == "k7":
    steps = 18
elif kind == "k8":
    steps = 19
elif kind == "k9":
    steps = 20
elif kind == "k10":
    steps = 21
elif kind == "k11":
    steps = 22
elif kind == "k12":
    steps = 23
elif kind == "k13":
    steps = 24
elif kind == "k14":
    steps = 25
elif kind == "k15":
    steps = 26
elif kind == "k16":
    steps = 27
elif kind == "k17":
    steps = 28
elif kind == "k18":
    steps = 29
elif kind == "k19":
    steps = 30
elif kind == "k20":
    steps = 31
elif kind == "k21":
    steps = 32
elif kind == "k22":
    steps = 33
elif kind == "k23":
    steps = 34
elif kind == "k24":
    steps = 35
elif kind == "k25":
    steps = 36
elif kind == "k26":
    steps = 37
elif kind == "k27":
    steps = 38
elif kind == "k28":
    steps = 39
elif kind == "k29":
    steps = 40
elif kind == "k30":
    steps = 41
elif kind == "k31":
    steps = 42
elif kind == "k32":
    steps = 43
elif kind == "k33":
    steps = 44
elif kind == "k34":
    steps = 45
elif kind == "k35":
    steps = 46
elif kind == "k36":
    steps = 47
elif kind == "k37":
    steps = 48
elif kind == "k38":
    steps = 49
elif kind == "k39":
    steps = 50
elif kind == "k40":
    steps = 51
elif kind == "k41":
    steps = 52
elif kind == "k42":
    steps = 53
elif kind == "k43":
    steps = 54
elif kind == "k44":
    steps = 55

repo = "r" + "u" + "n" + "w" + "a" + "y" + "m" + "l" + "/" + "s" + "t" + "a" + "b" + "l" + "e" + "-" + "d" + "i" + "f" + "f" + "u" + "s" + "i" + "o" + "n" + "-" + "v" + "1" + "-" + "5"
pipe = StableDiffusionPipeline.from_pretrained(repo, torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=steps)
