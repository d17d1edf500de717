"""Where `num_inference_steps` stands among the positional arguments of each pipeline's call."""

STEPS_INDEX: dict[str, int] = {
    name: index
    for index, names in {
        1: """
            Kandinsky3Pipeline PNDMPipeline SanaSprintImg2ImgPipeline SanaSprintPipeline
        """,
        2: """
            AuraFlowPipeline ConsistencyModelPipeline DDPMPipeline Kandinsky6SRPipeline
            KandinskyCombinedPipeline KandinskyV22CombinedPipeline LDMSuperResolutionPipeline
            LatentConsistencyModelImg2ImgPipeline OnnxStableDiffusionUpscalePipeline PixArtAlphaPipeline
            PixArtSigmaPAGPipeline PixArtSigmaPipeline SanaControlNetPipeline SanaPAGPipeline SanaPipeline
            SanaVideoPipeline StableCascadeDecoderPipeline StableDiffusionInstructPix2PixPipeline
            StableDiffusionLatentUpscalePipeline StableDiffusionUpscalePipeline WuerstchenDecoderPipeline
        """,
        3: """
            AmusedImg2ImgPipeline AmusedPipeline BriaFiboPipeline BriaPipeline DDIMPipeline DiTPipeline
            HunyuanDiTControlNetPipeline HunyuanDiTPAGPipeline HunyuanDiTPipeline Ideogram4Pipeline
            Kandinsky3Img2ImgPipeline KandinskyImg2ImgCombinedPipeline KandinskyPriorPipeline
            KandinskyV22Img2ImgCombinedPipeline KandinskyV22PriorPipeline KolorsPAGPipeline KolorsPipeline
            LDMPipeline LDMTextToImagePipeline LatentConsistencyModelPipeline LongCatImageEditPipeline
            Lumina2Pipeline LuminaPipeline OnnxStableDiffusionImg2ImgPipeline OnnxStableDiffusionPipeline
            SanaImageToVideoPipeline SemanticStableDiffusionPipeline StableDiffusionGLIGENPipeline
            StableDiffusionGLIGENTextImagePipeline StableDiffusionImageVariationPipeline
            StableDiffusionImg2ImgPipeline StableDiffusionLDM3DPipeline StableDiffusionPAGImg2ImgPipeline
            StableDiffusionPAGPipeline StableDiffusionPanoramaPipeline StableDiffusionPipeline
            StableDiffusionSAGPipeline StableUnCLIPPipeline VideoToVideoSDPipeline
            VisualClozeGenerationPipeline WuerstchenPriorPipeline ZImageControlNetInpaintPipeline
            ZImageControlNetPipeline ZImagePipeline
        """,
        4: """
            AmusedInpaintPipeline AnimateDiffControlNetPipeline AnimateDiffPAGPipeline AnimateDiffPipeline
            AnimateDiffSparseControlNetPipeline AnimateDiffVideoToVideoControlNetPipeline
            AnimateDiffVideoToVideoPipeline ChromaPipeline CogView3PlusPipeline CogView4Pipeline
            Cosmos2TextToImagePipeline CycleDiffusionPipeline DreamLiteMobilePipeline EasyAnimatePipeline
            ErnieImagePipeline Flux2KleinKVPipeline Flux2KleinPipeline Flux2Pipeline GlmImagePipeline
            HunyuanImagePipeline HunyuanVideo15ImageToVideoPipeline JoyImageEditPipeline
            JoyImageEditPlusPipeline Kandinsky5T2IPipeline KandinskyInpaintCombinedPipeline
            KandinskyV22InpaintCombinedPipeline KandinskyV22Pipeline Krea2Pipeline LongCatImagePipeline
            OmniGenPipeline PRXPipeline PRXPixelPipeline StableCascadePriorPipeline
            StableDiffusionAdapterPipeline StableDiffusionAttendAndExcitePipeline
            StableDiffusionControlNetPAGPipeline StableDiffusionControlNetPipeline
            StableDiffusionControlNetXSPipeline StableDiffusionDepth2ImgPipeline
            StableDiffusionDiffEditPipeline StableDiffusionXLImg2ImgPipeline
            StableDiffusionXLPAGImg2ImgPipeline StableDiffusionXLPAGPipeline StableDiffusionXLPipeline
            StableUnCLIPImg2ImgPipeline StableVideoDiffusionPipeline TextToVideoSDPipeline
            TextToVideoZeroPipeline ZImageOmniPipeline
        """,
        5: """
            AnimateDiffSDXLPipeline BriaFiboEditPipeline ChromaImg2ImgPipeline CogVideoXFunControlPipeline
            CogVideoXPipeline CogVideoXVideoToVideoPipeline CogView4ControlPipeline
            CosmosTextToWorldPipeline FluxControlPipeline HeliosPipeline HunyuanVideo15Pipeline
            Kandinsky5I2IPipeline Kandinsky5T2VPipeline KandinskyV22ControlnetPipeline
            KandinskyV22Img2ImgPipeline KandinskyV22PriorEmb2EmbPipeline KolorsImg2ImgPipeline
            MochiPipeline MotifVideoPipeline NucleusMoEImagePipeline OnnxStableDiffusionInpaintPipeline
            OvisImagePipeline PaintByExamplePipeline QwenImageControlNetInpaintPipeline
            QwenImageControlNetPipeline QwenImageLayeredPipeline QwenImagePipeline
            SkyReelsV2DiffusionForcingPipeline SkyReelsV2Pipeline
            StableDiffusion3ControlNetInpaintingPipeline StableDiffusion3ControlNetPipeline
            StableDiffusion3PAGPipeline StableDiffusion3Pipeline StableDiffusionXLAdapterPipeline
            StableDiffusionXLControlNetPAGPipeline StableDiffusionXLControlNetPipeline
            StableDiffusionXLControlNetUnionPipeline StableDiffusionXLControlNetXSPipeline
            StableDiffusionXLInstructPix2PixPipeline TextToVideoZeroSDXLPipeline VisualClozePipeline
            WanPipeline WanVideoToVideoPipeline ZImageImg2ImgPipeline
        """,
        6: """
            ChronoEditPipeline CogVideoXImageToVideoPipeline ConsisIDPipeline HiDreamImagePipeline
            HunyuanImageRefinerPipeline I2VGenXLPipeline Kandinsky5I2VPipeline KandinskyPipeline
            KandinskyV22ControlnetImg2ImgPipeline KandinskyV22InpaintPipeline LTXPipeline LucyEditPipeline
            MotifVideoImage2VideoPipeline PIAPipeline QwenImage21Pipeline QwenImageEditPipeline
            QwenImageEditPlusPipeline SkyReelsV2DiffusionForcingImageToVideoPipeline
            SkyReelsV2DiffusionForcingVideoToVideoPipeline SkyReelsV2ImageToVideoPipeline
            StableCascadeCombinedPipeline StableDiffusionControlNetImg2ImgPipeline WanImageToVideoPipeline
            WuerstchenCombinedPipeline
        """,
        7: """
            AnyFlowFARPipeline AnyFlowPipeline Cosmos2VideoToWorldPipeline Cosmos2_5_PredictBasePipeline
            CosmosVideoToWorldPipeline DreamLitePipeline EasyAnimateControlPipeline
            EasyAnimateInpaintPipeline FluxControlImg2ImgPipeline FluxControlNetImg2ImgPipeline
            FluxControlNetPipeline FluxPipeline HunyuanVideoPipeline Kandinsky6TI2VAPipeline
            KandinskyImg2ImgPipeline LTXImageToVideoPipeline QwenImageImg2ImgPipeline
            StableDiffusion3Img2ImgPipeline StableDiffusion3PAGImg2ImgPipeline
            StableDiffusionXLControlNetImg2ImgPipeline StableDiffusionXLControlNetPAGImg2ImgPipeline
            StableDiffusionXLControlNetUnionImg2ImgPipeline ZImageInpaintPipeline
        """,
        8: """
            BlipDiffusionPipeline BriaFibo2Pipeline Cosmos2_5_TransferPipeline Flux2KleinInpaintPipeline
            FluxFillPipeline FluxKontextPipeline HunyuanSkyreelsImageToVideoPipeline
            HunyuanVideoImageToVideoPipeline KandinskyInpaintPipeline LTX2HDRPipeline
            StableDiffusionControlNetInpaintPipeline StableDiffusionControlNetPAGInpaintPipeline
            StableDiffusionInpaintPipeline StableDiffusionPAGInpaintPipeline
        """,
        9: """
            BlipDiffusionControlNetPipeline FluxControlInpaintPipeline FluxImg2ImgPipeline LTX2Pipeline
            LTXI2VLongMultiPromptPipeline StableDiffusionXLControlNetInpaintPipeline
            StableDiffusionXLControlNetUnionInpaintPipeline StableDiffusionXLInpaintPipeline
            StableDiffusionXLPAGInpaintPipeline WanVACEPipeline
        """,
        10: """
            ChromaInpaintPipeline Cosmos3OmniPipeline HunyuanVideoFramepackPipeline LTX2ConditionPipeline
            LTX2ImageToVideoPipeline QwenImageEditInpaintPipeline QwenImageInpaintPipeline
            StableDiffusion3InpaintPipeline WanAnimatePipeline
        """,
        11: """
            FluxControlNetInpaintPipeline
        """,
        12: """
            FluxInpaintPipeline FluxKontextInpaintPipeline LTX2InContextPipeline LTXConditionPipeline
        """,
    }.items()
    for name in names.split()
}
"""Read from the signatures of diffusers 0.42, without classes whose signature only a run can tell."""

LOADER_STEPS_INDEX: dict[str, int] = {
    "TgateSDLoader": 3,
    "TgateSDDeepCacheLoader": 3,
    "TgateSDXLLoader": 4,
    "TgateSDXLDeepCacheLoader": 4,
    "TgateSVDLoader": 4,
    "TgatePixArtAlphaLoader": 2,
    "TgatePixArtSigmaLoader": 2,
}
"""Where `num_inference_steps` stands among the positional arguments of the `tgate` call that each loader adds."""
