"""What matchcut serves: a stand-in of the paid service to rehearse with, and the receiver of its calls."""
