from .controls import Controls as Controls
from .controls import EyeControls as EyeControls
from .session import Session as Session
from .subject import LabSubject as LabSubject
from .tracks import Frame as Frame
from .tracks import Track as Track
